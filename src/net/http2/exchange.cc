#include "net/http2/exchange.h"

#include <utility>
#include <vector>

namespace micro::http2 {
namespace {

constexpr std::size_t kMostInVain = 64U << 10U;

}  // namespace

Exchange& Exchange::TakeOver(Stream& stream, bool head_only) {
  auto* exchange = new Exchange(head_only);
  stream.session()->Replace(stream, *exchange);
  return *exchange;
}

bool Exchange::OnHeader(std::string_view /*name*/, std::string_view /*value*/) {
  return true;  // trailers of a request mean nothing to us
}

void Exchange::OnHeaders(bool /*end_of_stream*/) {}

void Exchange::OnData(std::string_view bytes) {
  if (sent_ && (in_vain_ += bytes.size()) > kMostInVain) Reset(NGHTTP2_NO_ERROR);
  if (ended_) return;
  session()->Consume(*this, bytes.size());
  if (receiver_ != nullptr) receiver_->OnBody(bytes);
}

// A sender that goes on after it has its answer is told to stop (RFC 9113 section 8.1), though not
// for what was on its way: some take a reset for the loss of the answer.
void Exchange::OnSent() { sent_ = true; }

void Exchange::Reset(std::uint32_t error) {
  if (!std::exchange(reset_, true)) session()->Reset(*this, error);
}

void Exchange::OnEnd() {
  if (receiver_ != nullptr) receiver_->OnBodyEnd();
}

void Exchange::OnDrained() {
  if (receiver_ != nullptr && !ended_) receiver_->OnDrained();
}

void Exchange::OnClose(std::uint32_t /*error*/) {
  if (auto* receiver = std::exchange(receiver_, nullptr)) receiver->OnClosed();
  delete this;
}

void Exchange::Leave() {
  receiver_ = nullptr;
  if (!ended_) Abort();
}

void Exchange::SendHead(int status, const Metadata& fields, std::optional<std::size_t> length) {
  if (std::exchange(head_sent_, true)) return;
  const std::string code = std::to_string(status);
  const std::string size = std::to_string(length.value_or(0));
  const bool bodiless = status == 204 || status == 304;
  std::vector<nghttp2_nv> list = {Field(":status", code)};
  for (const auto& [name, value] : fields) list.push_back(Field(name, value));
  if (length && !bodiless) list.push_back(Field("content-length", size));
  head_only_ = head_only_ || bodiless || length == 0U;
  session()->SubmitResponse(*this, list, !head_only_);
}

void Exchange::Send(std::string& bytes) {
  if (!ended_ && !head_only_) Stream::Send(bytes);
}

void Exchange::End() {
  if (std::exchange(ended_, true)) return;
  if (!head_only_) EndBody(false);
}

void Exchange::Abort() { Reset(head_sent_ ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_CANCEL); }

}  // namespace micro::http2
