#include <chrono>
#include <thread>

#include "service.h"

namespace grpc_interop {
namespace {

// Sends a payload for each that is asked for.
template <typename Stream>
micro::Status SendPayloads(const StreamingOutputCallRequest& request, Stream& stream) {
  for (const auto& wanted : request.response_parameters()) {
    std::this_thread::sleep_for(std::chrono::microseconds(wanted.interval_us()));
    const auto response = Answer(wanted);
    if (!response) return micro::Failure(response.error());
    if (!stream.Write(*response)) return stream.status();
  }
  return micro::Ok();
}

struct Service : ::grpc::testing::TestServiceHandler {
  micro::Result<Empty> EmptyCall(micro::Context&, const Empty&) override { return Empty(); }

  micro::Result<SimpleResponse> UnaryCall(micro::Context& context,
                                          const SimpleRequest& request) override {
    return Answer(context, request);
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

}  // namespace

std::shared_ptr<micro::Handler> MakeBlockingService() { return std::make_shared<Service>(); }

}  // namespace grpc_interop
