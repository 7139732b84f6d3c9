#include "transport/grpc/arrival.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

namespace micro::grpc {
namespace {

constexpr std::string_view kPreface = NGHTTP2_CLIENT_MAGIC;
constexpr std::string_view kClientHello = "\x16\x03";  // a handshake record of TLS 1.x or SSL 3
constexpr std::size_t kReadSize = 64U << 10U;

std::span<std::uint8_t> ReadBuffer() {
  thread_local std::vector<std::uint8_t> buffer(kReadSize);
  return buffer;
}

}  // namespace

Speech Listen(std::string_view bytes) {
  if (bytes.starts_with(kPreface)) return Speech::kHttp2;
  if (kPreface.starts_with(bytes) || kClientHello.starts_with(bytes)) return Speech::kUndecided;
  if (bytes.starts_with(kClientHello)) return Speech::kTls;
  return bytes[0] >= 'A' && bytes[0] <= 'Z' ? Speech::kHttp1 : Speech::kOther;
}

Arrival::Arrival(runtime::Loop& loop, std::unique_ptr<net::Link> link, Owner& owner)
    : loop_(loop), link_(std::move(link)), peer_(link_->peer()), owner_(&owner) {}

void Arrival::Start(Duration patience) {
  loop_.Add(*this, std::chrono::steady_clock::now() + patience);
  Wait();
}

void Arrival::Wait() {
  link_->WaitReadable([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && self->link_ != nullptr) self->OnReadable();
  });
}

void Arrival::OnReadable() {
  const std::span<std::uint8_t> buffer = ReadBuffer();
  const ssize_t size = link_->Read(buffer);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return Wait();
  if (size < 0) return Close(link_->Why());
  if (size == 0) return Close("closed by the other side");
  bytes_.append(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(size));
  Decide();
}

void Arrival::Decide() {
  const Speech speech = Listen(bytes_);
  switch (speech) {
    case Speech::kUndecided:
      return Wait();
    case Speech::kTls:
      return Close("it speaks TLS, and there is no TLS on this port", true);
    case Speech::kOther:
      return Close("it speaks neither HTTP/2 nor HTTP/1.1", true);
    default:
      Cancel();
      return owner_->OnArrival(*this, speech, std::exchange(link_, nullptr), std::move(bytes_));
  }
}

void Arrival::Close(std::string_view reason, bool malformed) {
  if (link_ == nullptr) return;
  Cancel();
  const auto link = std::exchange(link_, nullptr);
  link->Close();
  owner_->OnTurnedAway(*this, reason, malformed);
}

}  // namespace micro::grpc
