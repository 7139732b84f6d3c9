// The service of gRPC's interop tests.
//
//     grpc-interop-server --port N
//
// It listens on 127.0.0.1; port 0 is any free one. All of a micro service's flags work too.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <micro/micro.h>

#include "grpc/testing/test.micro.h"

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

// gRPC's flag is ours by another name.
std::string Address(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    if (word.starts_with("--port=")) return "127.0.0.1:" + std::string(word.substr(7));
    if (word == "--port" && i + 1 < argc) return "127.0.0.1:" + std::string(argv[i + 1]);
  }
  return "127.0.0.1:0";
}

}  // namespace

int main(int argc, char** argv) {
  int port = 0;
  micro::Service service({.name = "grpc.testing",
                          .address = Address(argc, argv),
                          .registry = "memory",
                          .flags = {{.name = "port", .help = "where to listen", .value = &port}}},
                         argc, argv);
  service.Handle(std::make_unique<TestService>());
  return service.Run();
}
