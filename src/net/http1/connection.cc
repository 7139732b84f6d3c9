#include "net/http1/connection.h"

#include <sys/socket.h>

#include <cctype>
#include <cerrno>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

namespace micro::http1 {
namespace {

constexpr std::size_t kReadSize = 64U << 10U;
// Unsent bytes beyond which no further request is begun.
constexpr std::size_t kHighWater = 64U << 10U;
// What has to come of a body in the time that a head may take.
constexpr std::size_t kLeastProgress = 1U << 10U;
// What is read of a body that nobody wants, so that the connection can be used again.
constexpr std::uint64_t kWorthReading = 64U << 10U;
// How long the other side has to close when it is told that this one will.
constexpr std::chrono::seconds kLinger{2};
// Writes of one connection before the loop's others get their turn.
constexpr int kWritesPerTurn = 4;

std::span<std::uint8_t> ReadBuffer() {
  thread_local std::vector<std::uint8_t> buffer(kReadSize);
  return buffer;
}

}  // namespace

Connection::Connection(runtime::Loop& loop, std::unique_ptr<net::Link> link, const Limits& limits,
                       Owner& owner)
    : loop_(loop), link_(std::move(link)), limits_(limits), owner_(&owner) {}

void Connection::Start(std::string received, bool last) {
  in_ = std::move(received);
  draining_ = last;
  Wait(limits_.idle);
  Turn();
}

void Connection::Shutdown() {
  draining_ = true;
  // Who has sent something already is still served.
  if (closed_ || !idle() || !Receive()) return;
  if (idle()) return Close("the server is stopping");
  TurnSoon();
}

void Connection::Close(std::string_view reason) {
  if (closed_) return;
  const auto self = shared_from_this();
  closed_ = true;
  Cancel();
  stall_.Cancel();
  link_->Close();
  if (auto* receiver = std::exchange(receiver_, nullptr)) receiver->OnClosed();
  owner_->OnConnectionClosed(*this, refused_.empty() ? reason : refused_, !refused_.empty());
}

void Connection::Wait(Duration time) { loop_.Add(*this, std::chrono::steady_clock::now() + time); }

void Connection::Fire() {
  switch (phase_) {
    case Phase::kHead:
      if (!head_begun_) return unsent() > 0 ? Wait(limits_.idle) : Close("idle");
      Refuse(Fault(408, "the request's head did not come in time"));
      return TurnSoon();
    case Phase::kBody:
      if (std::exchange(progress_, 0) >= kLeastProgress) return Wait(limits_.patience);
      Refuse(Fault(408, "the request's body did not come in time"));
      return TurnSoon();
    case Phase::kAnswer:
      return;
    case Phase::kLinger:
      return Close("closed");
  }
}

// --- in
// -------------------------------------------------------------------------------------------

void Connection::WaitReadable() {
  if (std::exchange(reading_, true)) return;
  link_->WaitReadable([self = shared_from_this()](const boost::system::error_code& error) {
    self->reading_ = false;
    if (!error && !self->closed_) self->OnReadable();
  });
}

// While a request is served, what is read ahead is bounded; reading goes on to see the other side
// leave.
bool Connection::wants_input() const {
  if (eof_) return false;
  switch (phase_) {
    case Phase::kHead:
      return unsent() < kHighWater;
    case Phase::kAnswer:
      return pending().size() < limits_.max_head;
    default:
      return true;
  }
}

void Connection::OnReadable() {
  if (wants_input() && !Receive()) return;
  Turn();
}

// Reads once; false when the connection was closed.
bool Connection::Receive() {
  const std::span<std::uint8_t> buffer = ReadBuffer();
  const ssize_t size = link_->Read(buffer);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (size < 0) return Close(link_->Why()), false;
  if (size == 0) return OnEof();
  if (phase_ == Phase::kLinger) return true;
  in_.erase(0, std::exchange(taken_, 0));
  in_.append(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(size));
  return true;
}

// Who closes while a request of his is served has gone; he may have read no answer yet, though.
bool Connection::OnEof() {
  eof_ = (phase_ == Phase::kHead || phase_ == Phase::kLinger) && unsent() > 0;
  if (!eof_) Close("closed by the other side");
  return eof_;
}

void Connection::Take(std::size_t bytes) {
  taken_ += bytes;
  if (taken_ < in_.size()) return;
  in_.clear();
  taken_ = 0;
}

void Connection::TurnSoon() {
  if (in_turn_ || turn_posted_ || closed_) return;
  turn_posted_ = true;
  boost::asio::post(loop_.io(), [self = shared_from_this()] {
    self->turn_posted_ = false;
    if (!self->closed_) self->Turn();
  });
}

void Connection::Turn() {
  const auto self = shared_from_this();
  in_turn_ = true;
  bool more = true;
  for (int i = 0; more && i < kWritesPerTurn; ++i) {
    while (Step()) {
    }
    more = Flush();
  }
  in_turn_ = false;
  if (closed_) return;
  if (more) TurnSoon();
  if (phase_ == Phase::kLinger && unsent() == 0) SayFarewell();
  if (closed_) return;
  if (wants_input()) WaitReadable();
}

// Does what can be done now; false when nothing more can.
bool Connection::Step() {
  if (closed_) return false;
  if (aborted_) return Close("aborted"), false;
  switch (phase_) {
    case Phase::kHead:
      return StepHead();
    case Phase::kBody:
      return StepBody();
    case Phase::kAnswer:
      return StepAnswer();
    case Phase::kLinger:
      return false;
  }
  return false;
}

bool Connection::StepHead() {
  if (unsent() >= kHighWater) return false;
  // Some senders end a body with an empty line that is not part of it (RFC 9112 section 2.2).
  while (!head_begun_ && pending().starts_with("\r\n")) Take(2);
  const std::string_view bytes = pending();
  if (bytes.empty() || (!head_begun_ && bytes == "\r")) return false;
  if (!std::exchange(head_begun_, true)) {
    Wait(limits_.patience);
    if (std::isalpha(static_cast<unsigned char>(bytes[0])) == 0) {
      Refuse(Fault(400, "there is no request line"));
      return true;
    }
  }
  const auto end = FindHeadEnd(bytes, looked_);
  const std::size_t size = end.value_or(bytes.size());
  const auto fault = LineFault(bytes.substr(0, size), checked_);
  if (!fault.empty()) {
    Refuse(Fault(400, std::string(fault)));
    return true;
  }
  checked_ = size - 1;  // what may follow the last byte is not known yet
  if (size > limits_.max_head) {
    Refuse(Fault(431, "the request's head is over the limit of " +
                          std::to_string(limits_.max_head) + " bytes"));
    return true;
  }
  if (!end) return false;
  const std::string head(bytes.substr(0, size));
  Take(size);
  Begin(head);
  return true;
}

void Connection::Begin(std::string_view head) {
  auto request = parser_.ReadHead(head);
  if (!request) return Refuse(request.error());
  phase_ = Phase::kBody;
  progress_ = 0;
  Wait(limits_.patience);
  head_only_ = request->method == "HEAD";
  owner_->OnRequest(*this, *std::move(request));
  if (closed_) return;
  if (parser_.done()) return OnBodyEnd();
  if (parser_.expects_continue() && !head_sent_) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
}

bool Connection::StepBody() {
  if (ended_ && close_) return Linger(), true;
  if (pending().empty()) return false;
  std::string body;
  const auto used = parser_.ReadBody(pending(), body);
  if (!used) {
    Refuse(used.error());
    return true;
  }
  Take(*used);
  progress_ += *used;
  if (!body.empty() && receiver_ != nullptr) receiver_->OnBody(body);
  if (closed_) return false;
  if (parser_.done()) return OnBodyEnd(), true;
  if (*used > 0) return true;
  if (pending().size() <= limits_.max_head) return false;
  Refuse(Fault(400, "what stands around the body's chunks is too long"));
  return true;
}

void Connection::OnBodyEnd() {
  phase_ = Phase::kAnswer;
  Cancel();
  if (receiver_ != nullptr) receiver_->OnBodyEnd();
}

bool Connection::StepAnswer() {
  if (!ended_) return false;
  if (close_) {
    Linger();
  } else {
    NextRequest();
  }
  return true;
}

void Connection::NextRequest() {
  if (auto* receiver = std::exchange(receiver_, nullptr)) receiver->OnClosed();
  phase_ = Phase::kHead;
  looked_ = checked_ = 0;
  head_begun_ = head_only_ = head_sent_ = ended_ = false;
  Wait(limits_.idle);
  if (draining_ && pending().empty()) Linger();
}

// The connection is of no further use: says why, if that can still be said.
void Connection::Refuse(const Error& fault) {
  refused_ = fault.detail();
  if (head_sent_ && !ended_) return Abort();
  if (!head_sent_) {
    const std::string body = fault.detail() + "\n";
    const Metadata fields = {{"content-type", "text/plain; charset=utf-8"}};
    WriteHead({.status = fault.http_code(),
               .fields = &fields,
               .framing = Framing::kLength,
               .length = body.size(),
               .close = true},
              out_);
    if (!head_only_) out_ += body;
  }
  Linger();
}

// Closing at once would make the other side's system throw away what it has not read yet.
void Connection::Linger() {
  phase_ = Phase::kLinger;
  Take(pending().size());
  Wait(kLinger);
  if (auto* receiver = std::exchange(receiver_, nullptr)) receiver->OnClosed();
}

// --- out
// ------------------------------------------------------------------------------------------

void Connection::Leave() {
  receiver_ = nullptr;
  if (!ended_) Abort();
}

void Connection::SendHead(int status, const Metadata& fields, std::optional<std::size_t> length) {
  if (std::exchange(head_sent_, true)) return;
  const auto remaining = parser_.remaining();
  const bool waits = parser_.expects_continue() && !parser_.done();
  close_ = draining_ || !parser_.keep_alive() || waits || !remaining || *remaining > kWorthReading;
  const bool bodiless = status == 204 || status == 304;
  framing_ = bodiless           ? Framing::kNone
             : length           ? Framing::kLength
             : parser_.http11() ? Framing::kChunked
                                : Framing::kClose;
  WriteHead({.status = status,
             .fields = &fields,
             .framing = framing_,
             .length = length.value_or(0),
             .close = close_},
            out_);
  TurnSoon();
}

void Connection::Send(std::string& bytes) {
  if (ended_ || closed_ || head_only_ || framing_ == Framing::kNone) return;
  if (framing_ == Framing::kChunked) {
    WriteChunk(bytes, out_);
  } else if (out_.empty()) {
    std::swap(out_, bytes);
  } else {
    out_ += bytes;
  }
  TurnSoon();
}

void Connection::End() {
  if (std::exchange(ended_, true)) return;
  if (framing_ == Framing::kChunked && !head_only_) WriteLastChunk(out_);
  TurnSoon();
}

void Connection::Abort() {
  aborted_ = true;
  TurnSoon();
}

// True when something was written, and nothing is left of it.
bool Connection::Flush() {
  if (closed_ || writing_) return false;
  if (out_.empty()) return false;
  const ssize_t size = link_->Write(std::string_view(out_).substr(sent_));
  if (size < 0 && errno != EAGAIN && errno != EINTR) return Close(link_->Why()), false;
  sent_ += size < 0 ? 0 : static_cast<std::size_t>(size);
  if (unsent() > 0) return WaitWritable(), false;
  out_.clear();
  sent_ = 0;
  OnDrained();
  return !closed_;
}

void Connection::OnDrained() {
  if (eof_) return Close("closed by the other side");
  if (draining_ && phase_ == Phase::kHead && pending().empty()) return Linger();
  if (receiver_ != nullptr && !ended_) receiver_->OnDrained();
}

void Connection::SayFarewell() {
  if (!std::exchange(farewell_, true)) link_->CloseWrite();
}

void Connection::WaitWritable() {
  writing_ = true;
  loop_.Add(stall_, std::chrono::steady_clock::now() + limits_.idle);
  link_->WaitWritable([self = shared_from_this()](const boost::system::error_code& error) {
    self->writing_ = false;
    self->stall_.Cancel();
    if (!error && !self->closed_) self->Turn();
  });
}

}  // namespace micro::http1
