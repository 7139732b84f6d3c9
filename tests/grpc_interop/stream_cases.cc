#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "cases.h"

namespace grpc_interop {
namespace {

using namespace std::chrono_literals;
using Duplex = micro::ClientStream<StreamingOutputCallRequest, StreamingOutputCallResponse>;

constexpr std::array kRequests = {27182, 8, 1828, 45904};
constexpr std::array kResponses = {31415, 9, 2653, 58979};

StreamingOutputCallRequest Ask(int request_size, int response_size) {
  StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(response_size);
  request.mutable_payload()->set_body(std::string(static_cast<std::size_t>(request_size), '\0'));
  return request;
}

Complaint Ended(const micro::Status& status) { return status ? "" : status.error().ToString(); }

/// One request and its answer.
Complaint PingOnce(Duplex& stream, int request_size, int response_size) {
  if (!stream.Write(Ask(request_size, response_size))) return Ended(stream.Finish());
  const auto response = stream.Read();
  if (!response) return "no answer: " + Ended(stream.Finish());
  return ExpectZeros(response_size, response->payload());
}

/// That nothing more comes, and that it ended well.
Complaint ExpectEnd(Duplex& stream) {
  stream.CloseSend();
  if (stream.Read()) return "more came than was asked for";
  return Ended(stream.Finish());
}

}  // namespace

Complaint ClientStreaming(const Target& target) {
  constexpr int kTogether = 74922;
  auto stream = target.service.StreamingInputCall(target.options());
  for (const int size : kRequests) {
    StreamingInputCallRequest request;
    request.mutable_payload()->set_body(std::string(static_cast<std::size_t>(size), '\0'));
    if (!stream.Write(request)) break;
  }
  const auto response = stream.Finish();
  if (!response) return response.error().ToString();
  const int size = response->aggregated_payload_size();
  return size == kTogether ? "" : "the sizes are " + std::to_string(size) + " together";
}

Complaint ServerStreaming(const Target& target) {
  StreamingOutputCallRequest request;
  for (const int size : kResponses) request.add_response_parameters()->set_size(size);
  auto stream = target.service.StreamingOutputCall(request, target.options());
  for (const int size : kResponses) {
    const auto response = stream.Read();
    if (!response) return "too few answers: " + Ended(stream.Finish());
    const Complaint complaint = ExpectZeros(size, response->payload());
    if (!complaint.empty()) return complaint;
  }
  if (stream.Read()) return "more came than was asked for";
  return Ended(stream.Finish());
}

Complaint PingPong(const Target& target) {
  Duplex stream = target.service.FullDuplexCall(target.options());
  for (std::size_t i = 0; i < kRequests.size(); ++i) {
    const Complaint complaint = PingOnce(stream, kRequests.at(i), kResponses.at(i));
    if (!complaint.empty()) return complaint;
  }
  return ExpectEnd(stream);
}

Complaint EmptyStream(const Target& target) {
  Duplex stream = target.service.FullDuplexCall(target.options());
  return ExpectEnd(stream);
}

Complaint EchoStream(const Target& target) {
  micro::CallOptions options = target.options();
  options.metadata = &EchoedMetadata();
  Duplex stream = target.service.FullDuplexCall(options);
  Complaint complaint = PingOnce(stream, kRequests.front(), kResponses.front());
  if (complaint.empty()) complaint = ExpectEnd(stream);
  return complaint.empty() ? ExpectEchoed(stream.metadata(), stream.trailers()) : complaint;
}

Complaint TellStream(const Target& target, std::string_view message) {
  StreamingOutputCallRequest request;
  request.mutable_response_status()->set_code(static_cast<int>(micro::Code::kUnknown));
  request.mutable_response_status()->set_message(std::string(message));
  Duplex stream = target.service.FullDuplexCall(target.options());
  stream.Write(request);
  return ExpectError(micro::Code::kUnknown, message, stream.Finish());
}

Complaint CancelAfterBegin(const Target& target) {
  auto stream = target.service.StreamingInputCall(target.options());
  stream.Cancel();
  return ExpectCode(micro::Code::kCancelled, StatusOf(stream.Finish()));
}

Complaint CancelAfterFirstResponse(const Target& target) {
  Duplex stream = target.service.FullDuplexCall(target.options());
  const Complaint complaint = PingOnce(stream, kRequests.front(), kResponses.front());
  if (!complaint.empty()) return complaint;
  stream.Cancel();
  return ExpectCode(micro::Code::kCancelled, stream.Finish());
}

// The service waits for more requests, and so does not answer in time.
Complaint TimeoutOnSleepingServer(const Target& target) {
  micro::CallOptions options = target.options();
  options.timeout = 1ms;
  Duplex stream = target.service.FullDuplexCall(options);
  StreamingOutputCallRequest request;
  request.mutable_payload()->set_body(std::string(kRequests.front(), '\0'));
  stream.Write(request);
  if (stream.Read()) return "an answer instead of an error";
  return ExpectCode(micro::Code::kDeadlineExceeded, stream.Finish());
}

}  // namespace grpc_interop
