// The service of gRPC's interop tests.
//
//     grpc-interop-server --port N [--use_tls]
//
// It listens on 127.0.0.1; port 0 is any free one. With --use_tls it makes a certificate for
// 127.0.0.1 and localhost, and leaves the CA in --ca_file. All of a micro service's flags work too.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <micro/micro.h>

#include "flags.h"
#include "grpc/testing/test.micro.h"
#include "net/testing/certificates.h"

namespace {

using ::grpc::testing::EchoStatus;
using ::grpc::testing::Empty;
using ::grpc::testing::Payload;
using ::grpc::testing::SimpleRequest;
using ::grpc::testing::SimpleResponse;
using ::grpc::testing::StreamingInputCallRequest;
using ::grpc::testing::StreamingInputCallResponse;
using ::grpc::testing::StreamingOutputCallRequest;
using ::grpc::testing::StreamingOutputCallResponse;

constexpr std::string_view kEchoAhead = "x-grpc-test-echo-initial";
constexpr std::string_view kEchoBehind = "x-grpc-test-echo-trailing-bin";
constexpr int kMostCodes = 16;

// custom_metadata: one key goes back ahead of the answer, one behind it.
void EchoMetadata(micro::Context& context) {
  if (const auto value = context.metadata().Get(kEchoAhead)) {
    context.response_metadata().Set(kEchoAhead, *value);
  }
  if (const auto value = context.metadata().Get(kEchoBehind)) {
    context.trailers().Set(kEchoBehind, *value);
  }
}

micro::Status Told(const EchoStatus& status) {
  if (status.code() == 0) return micro::Ok();
  const bool known = status.code() > 0 && status.code() <= kMostCodes;
  return micro::Fails(known ? static_cast<micro::Code>(status.code()) : micro::Code::kUnknown,
                      status.message());
}

micro::Result<Payload> Zeros(int size) {
  if (size < 0) return micro::InvalidArgument("a payload cannot have less than no bytes");
  Payload payload;
  payload.set_body(std::string(static_cast<std::size_t>(size), '\0'));
  return payload;
}

// Sends a payload for each that is asked for.
template <typename Stream>
micro::Status SendPayloads(const StreamingOutputCallRequest& request, Stream& stream) {
  for (const auto& wanted : request.response_parameters()) {
    std::this_thread::sleep_for(std::chrono::microseconds(wanted.interval_us()));
    auto payload = Zeros(wanted.size());
    if (!payload) return micro::Failure(payload.error());
    StreamingOutputCallResponse response;
    *response.mutable_payload() = *std::move(payload);
    if (!stream.Write(response)) return stream.status();
  }
  return micro::Ok();
}

struct TestService : ::grpc::testing::TestServiceHandler {
  micro::Result<Empty> EmptyCall(micro::Context&, const Empty&) override { return Empty(); }

  micro::Result<SimpleResponse> UnaryCall(micro::Context& context,
                                          const SimpleRequest& request) override {
    EchoMetadata(context);
    if (micro::Status told = Told(request.response_status()); !told) {
      return micro::Failure(told.error());
    }
    auto payload = Zeros(request.response_size());
    if (!payload) return micro::Failure(payload.error());
    SimpleResponse response;
    *response.mutable_payload() = *std::move(payload);
    return response;
  }

  micro::Status StreamingOutputCall(
      micro::Context&, const StreamingOutputCallRequest& request,
      micro::ServerWriter<StreamingOutputCallResponse>& stream) override {
    return SendPayloads(request, stream);
  }

  micro::Result<StreamingInputCallResponse> StreamingInputCall(
      micro::Context&, micro::ServerReader<StreamingInputCallRequest>& stream) override {
    std::size_t size = 0;
    while (const auto request = stream.Read()) size += request->payload().body().size();
    if (const micro::Status status = stream.status(); !status) {
      return micro::Failure(status.error());
    }
    StreamingInputCallResponse response;
    response.set_aggregated_payload_size(static_cast<int>(size));
    return response;
  }

  micro::Status FullDuplexCall(micro::Context& context,
                               micro::ServerStream<StreamingOutputCallRequest,
                                                   StreamingOutputCallResponse>& stream) override {
    EchoMetadata(context);
    while (const auto request = stream.Read()) {
      if (micro::Status told = Told(request->response_status()); !told) return told;
      if (micro::Status sent = SendPayloads(*request, stream); !sent) return sent;
    }
    return stream.status();
  }
};

/// A certificate for as long as the server runs.
struct OwnTls {
  explicit OwnTls(const std::string& ca_file) {
    const micro::net::testing::Ca ca("grpc-interop");
    ca.Write(ca_file);
    ca.Issue(cert, key, "DNS:localhost,IP:127.0.0.1");
  }
  micro::net::testing::Folder folder;
  std::string cert = folder / "cert.pem";
  std::string key = folder / "key.pem";
};

}  // namespace

int main(int argc, char** argv) {
  int port = 0;
  bool use_tls = false;
  std::string ca_file = grpc_interop::DefaultCaFile();
  std::optional<OwnTls> tls;
  if (grpc_interop::IsGiven(argc, argv, "use_tls")) {
    tls.emplace(grpc_interop::Given(argc, argv, "ca_file", ca_file));
  }
  micro::Service service(
      {.name = "grpc.testing",
       .address = "127.0.0.1:" + grpc_interop::Given(argc, argv, "port", "0"),
       .registry = "memory",
       .tls_cert = tls ? tls->cert : "",
       .tls_key = tls ? tls->key : "",
       .flags = {{.name = "port", .help = "where to listen", .value = &port},
                 {.name = "use_tls", .help = "serve with TLS", .value = &use_tls},
                 {.name = "ca_file", .help = "where the CA is left", .value = &ca_file}}},
      argc, argv);
  service.Handle(std::make_unique<TestService>());
  return service.Run();
}
