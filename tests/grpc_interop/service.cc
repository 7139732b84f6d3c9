#include "service.h"

#include <string>
#include <string_view>
#include <utility>

namespace grpc_interop {
namespace {

constexpr std::string_view kEchoAhead = "x-grpc-test-echo-initial";
constexpr std::string_view kEchoBehind = "x-grpc-test-echo-trailing-bin";
constexpr int kMostCodes = 16;

micro::Result<Payload> Zeros(int size) {
  if (size < 0) return micro::InvalidArgument("a payload cannot have less than no bytes");
  Payload payload;
  payload.set_body(std::string(static_cast<std::size_t>(size), '\0'));
  return payload;
}

template <typename Response>
micro::Result<Response> WithZeros(int size) {
  auto payload = Zeros(size);
  if (!payload) return micro::Failure(payload.error());
  Response response;
  *response.mutable_payload() = *std::move(payload);
  return response;
}

// The compressed cases: how the request has to be, and how the answer is to be.
micro::Status Agree(micro::Context& context, const SimpleRequest& request) {
  const bool compressed = context.received_compression() != micro::Compression::kNone;
  if (request.has_expect_compressed() && request.expect_compressed().value() != compressed) {
    return micro::InvalidArgument(compressed ? "the request is compressed"
                                             : "the request is not compressed");
  }
  if (request.response_compressed().value()) context.set_compression(micro::Compression::kGzip);
  return micro::Ok();
}

}  // namespace

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

micro::Result<SimpleResponse> Answer(micro::Context& context, const SimpleRequest& request) {
  EchoMetadata(context);
  if (micro::Status agreed = Agree(context, request); !agreed) {
    return micro::Failure(agreed.error());
  }
  if (micro::Status told = Told(request.response_status()); !told) {
    return micro::Failure(told.error());
  }
  return WithZeros<SimpleResponse>(request.response_size());
}

micro::Result<StreamingOutputCallResponse> Answer(const ResponseParameters& wanted) {
  return WithZeros<StreamingOutputCallResponse>(wanted.size());
}

}  // namespace grpc_interop
