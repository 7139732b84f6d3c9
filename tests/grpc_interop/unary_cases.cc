#include <algorithm>
#include <string>

#include "cases.h"

namespace grpc_interop {
namespace {

constexpr int kLargeRequest = 271828;
constexpr int kLargeResponse = 314159;
constexpr std::string_view kEchoAhead = "x-grpc-test-echo-initial";
constexpr std::string_view kEchoBehind = "x-grpc-test-echo-trailing-bin";

SimpleRequest LargeRequest() {
  SimpleRequest request;
  request.set_response_size(kLargeResponse);
  request.mutable_payload()->set_body(std::string(kLargeRequest, '\0'));
  return request;
}

SimpleRequest Tell(std::string_view message) {
  SimpleRequest request;
  request.mutable_response_status()->set_code(static_cast<int>(micro::Code::kUnknown));
  request.mutable_response_status()->set_message(std::string(message));
  return request;
}

}  // namespace

Complaint ExpectCode(micro::Code code, const micro::Status& status) {
  if (status) return "success instead of " + std::string(ToString(code));
  return status.error().code() == code ? "" : status.error().ToString();
}

Complaint ExpectError(micro::Code code, std::string_view detail, const micro::Status& status) {
  const Complaint complaint = ExpectCode(code, status);
  if (!complaint.empty()) return complaint;
  return status.error().detail() == detail ? "" : "the text is \"" + status.error().detail() + '"';
}

Complaint ExpectZeros(int size, const Payload& payload) {
  const std::string& body = payload.body();
  if (body.size() != static_cast<std::size_t>(size)) {
    return "a payload has " + std::to_string(body.size()) + " bytes, not " + std::to_string(size);
  }
  const bool zeros = std::ranges::all_of(body, [](char byte) { return byte == 0; });
  return zeros ? "" : "a payload is not all zeros";
}

const micro::Metadata& EchoedMetadata() {
  static const micro::Metadata metadata = {{kEchoAhead, "test_initial_metadata_value"},
                                           {kEchoBehind, "\xab\xab\xab"}};
  return metadata;
}

Complaint ExpectEchoed(const micro::Metadata& ahead, const micro::Metadata& behind) {
  const micro::Metadata& sent = EchoedMetadata();
  if (ahead.Get(kEchoAhead) != sent.Get(kEchoAhead)) return "nothing came ahead of the answer";
  return behind.Get(kEchoBehind) == sent.Get(kEchoBehind) ? "" : "nothing came behind the answer";
}

Complaint EmptyUnary(const Target& target) {
  const auto response = target.service.EmptyCall(Empty(), target.options());
  return response ? "" : response.error().ToString();
}

Complaint LargeUnary(const Target& target) {
  const auto response = target.service.UnaryCall(LargeRequest(), target.options());
  return response ? ExpectZeros(kLargeResponse, response->payload()) : response.error().ToString();
}

// A large call that the service is told to expect compressed, or not, and that is.
micro::Result<SimpleResponse> SendExpecting(const Target& target, bool expected,
                                            micro::Compression sent) {
  SimpleRequest request = LargeRequest();
  request.mutable_expect_compressed()->set_value(expected);
  micro::CallOptions options = target.options();
  options.compression = sent;
  return target.service.UnaryCall(request, options);
}

Complaint ClientCompressedUnary(const Target& target) {
  // A service that looks only at what it is told would not notice.
  const auto probe = SendExpecting(target, true, micro::Compression::kNone);
  Complaint complaint = ExpectCode(micro::Code::kInvalidArgument, StatusOf(probe));
  if (!complaint.empty()) return "the service does not look: " + complaint;
  for (const bool compressed : {true, false}) {
    const auto response = SendExpecting(
        target, compressed, compressed ? micro::Compression::kGzip : micro::Compression::kNone);
    complaint =
        response ? ExpectZeros(kLargeResponse, response->payload()) : response.error().ToString();
    if (!complaint.empty()) return complaint;
  }
  return {};
}

Complaint ServerCompressedUnary(const Target& target) {
  for (const bool compressed : {true, false}) {
    SimpleRequest request = LargeRequest();
    request.mutable_response_compressed()->set_value(compressed);
    const auto response = target.service.UnaryCall(request, target.options());
    if (!response) return response.error().ToString();
    const Complaint complaint = ExpectZeros(kLargeResponse, response->payload());
    if (!complaint.empty()) return complaint;
    if ((*target.received != micro::Compression::kNone) != compressed) {
      return compressed ? "the answer is not compressed" : "the answer is compressed";
    }
  }
  return {};
}

Complaint EchoUnary(const Target& target) {
  micro::CallInfo info;
  micro::CallOptions options = target.options();
  options.metadata = &EchoedMetadata();
  options.info = &info;
  const auto response = target.service.UnaryCall(LargeRequest(), options);
  if (!response) return response.error().ToString();
  return ExpectEchoed(info.response_metadata, info.trailers);
}

Complaint TellUnary(const Target& target, std::string_view message) {
  const auto response = target.service.UnaryCall(Tell(message), target.options());
  return ExpectError(micro::Code::kUnknown, message, StatusOf(response));
}

Complaint CustomMetadata(const Target& target) {
  const Complaint complaint = EchoUnary(target);
  return complaint.empty() ? EchoStream(target) : "unary: " + complaint;
}

Complaint StatusCodeAndMessage(const Target& target) {
  constexpr std::string_view kMessage = "test status message";
  const Complaint complaint = TellUnary(target, kMessage);
  return complaint.empty() ? TellStream(target, kMessage) : "unary: " + complaint;
}

Complaint SpecialStatusMessage(const Target& target) {
  return TellUnary(target,
                   "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n");
}

Complaint UnimplementedMethod(const Target& target) {
  const auto response = target.service.UnimplementedCall(Empty(), target.options());
  return ExpectCode(micro::Code::kUnimplemented, StatusOf(response));
}

Complaint UnimplementedService(const Target& target) {
  const auto response = target.missing.UnimplementedCall(Empty(), target.options());
  return ExpectCode(micro::Code::kUnimplemented, StatusOf(response));
}

}  // namespace grpc_interop
