#include <chrono>
#include <utility>

#include "service.h"

namespace grpc_interop {
namespace {

// Sends a payload for each that is asked for; `request` must outlive the task.
template <typename Stream>
micro::Task<micro::Status> SendPayloads(const StreamingOutputCallRequest& request, Stream stream) {
  for (const auto& wanted : request.response_parameters()) {
    if (wanted.interval_us() > 0) {
      co_await micro::Sleep(std::chrono::microseconds(wanted.interval_us()));
    }
    const auto response = Answer(wanted);
    if (!response) co_return micro::Failure(response.error());
    if (!co_await stream.Write(*response)) co_return stream.status();
  }
  co_return micro::Ok();
}

struct Service : ::grpc::testing::TestServiceAsyncHandler {
  micro::Task<micro::Result<Empty>> EmptyCall(micro::Context&, Empty) override {
    co_return Empty();
  }

  micro::Task<micro::Result<SimpleResponse>> UnaryCall(micro::Context& context,
                                                       SimpleRequest request) override {
    co_return Answer(context, request);
  }

  micro::Task<micro::Status> StreamingOutputCall(
      micro::Context&, StreamingOutputCallRequest request,
      micro::AsyncServerWriter<StreamingOutputCallResponse> stream) override {
    co_return co_await SendPayloads(request, stream);
  }

  micro::Task<micro::Result<StreamingInputCallResponse>> StreamingInputCall(
      micro::Context&, micro::AsyncServerReader<StreamingInputCallRequest> stream) override {
    std::size_t size = 0;
    StreamingInputCallRequest request;
    while (co_await stream.Read(request)) size += request.payload().body().size();
    if (const micro::Status status = stream.status(); !status) {
      co_return micro::Failure(status.error());
    }
    StreamingInputCallResponse response;
    response.set_aggregated_payload_size(static_cast<int>(size));
    co_return response;
  }

  micro::Task<micro::Status> FullDuplexCall(
      micro::Context& context,
      micro::AsyncServerStream<StreamingOutputCallRequest, StreamingOutputCallResponse> stream)
      override {
    EchoMetadata(context);
    StreamingOutputCallRequest request;
    while (co_await stream.Read(request)) {
      if (micro::Status told = Told(request.response_status()); !told) co_return told;
      if (micro::Status sent = co_await SendPayloads(request, stream); !sent) co_return sent;
    }
    co_return stream.status();
  }
};

}  // namespace

std::shared_ptr<micro::Handler> MakeAsyncService() { return std::make_shared<Service>(); }

}  // namespace grpc_interop
