#include "net/http2/session.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "net/http2/callbacks.h"

namespace micro::http2 {
namespace {

constexpr std::size_t kReadSize = 128U << 10U;
constexpr std::size_t kWriteSize = 64U << 10U;
// Input is worked off in slices, and what answers one is framed before the next is looked at: the
// streams that a slice is about stay in the processor's first-level cache.
constexpr std::size_t kSlice = 2U << 10U;
// Reads of one connection before the loop's others get their turn.
constexpr int kReadsPerTurn = 4;
// The ping that goes with the notice of a shutdown; others may still be under way.
constexpr std::array<std::uint8_t, 8> kFarewellPing = {'g', 'o', 'o', 'd', 'b', 'y', 'e', 0};
// How much of what the other side says in GOAWAY is passed on.
constexpr std::size_t kMostFarewell = 200;
// Requests that may be asked for before the other side has said how many it takes; nghttp2 keeps
// back those over its word.
constexpr std::size_t kFirstStreams = 1000;
// Frames without anything of a call that may come in a row, within the time.
constexpr int kMostChatter = 10'000;
constexpr std::chrono::seconds kChatterTime{1};
constexpr char kTooMuchChatter[] = "too many frames that carry nothing";
// How long, and for how many bytes, a connection stays open to be read to its end.
constexpr std::chrono::seconds kLinger{1};
constexpr std::size_t kMostDropped = 4U << 20U;
// Bytes of a stream's window that are given back at a time; most calls are over before.
constexpr std::size_t kConsumeStep = 16U << 10U;

std::uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

// Buffers that a loop's connections share: they are empty between two turns.
std::vector<std::uint8_t>& ReadBuffer() {
  thread_local std::vector<std::uint8_t> buffer(kReadSize);
  return buffer;
}

std::string& WriteBuffer() {
  thread_local std::string buffer;
  return buffer;
}

}  // namespace

nghttp2_nv Field(std::string_view name, std::string_view value) {
  return {Bytes(name), Bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

nghttp2_nv StaticField(std::string_view name, std::string_view value) {
  return {Bytes(name), Bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

void Stream::ResetStream() {
  deferred_ = ended_ = trailers_ = false;
  sent_ = consumed_ = 0;
  id_ = -1;
  body_.clear();
}

void Stream::Resume() {
  if (session_ != nullptr) session_->Resume(*this);
}

Session::Session(runtime::Loop& loop, std::unique_ptr<net::Link> link, Role role,
                 const Settings& settings, Owner& owner)
    : loop_(loop),
      link_(std::move(link)),
      owner_(&owner),
      role_(role),
      session_(Callbacks::MakeSession(role, this)),
      pulse_(*this, role, settings.lifetimes) {
  link_->Probe(settings.lifetimes.keepalive_time, settings.lifetimes.keepalive_timeout);
  const std::array<nghttp2_settings_entry, 3> entries = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.max_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.max_header_list},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), entries.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(settings.connection_window));
}

Session::~Session() { nghttp2_session_del(session_); }

void Session::Start(std::string_view received) {
  chatter_began_ = std::chrono::steady_clock::now();
  pulse_.Start();
  if (received.empty()) {
    WaitReadable();
    return FlushSoon();
  }
  const auto self = shared_from_this();
  WriteBuffer().clear();
  in_turn_ = true;
  Feed(std::span(Bytes(received), received.size()));
  EndTurn();
}

void Session::WaitReadable() {
  link_->WaitReadable([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && !self->closed_) self->OnReadable();
  });
}

void Session::OnReadable() {
  WriteBuffer().clear();
  // What was asked for before a GOAWAY is still served, if it leaves before the GOAWAY is read.
  if (role_ == Role::kClient && flush_posted_ && pending_.empty()) Flush();
  if (closed_) return;
  in_turn_ = true;
  for (int turn = 0; turn < kReadsPerTurn; ++turn) {
    if (!Receive()) break;
  }
  EndTurn();
}

void Session::EndTurn() {
  in_turn_ = false;
  if (closed_) return;
  Flush();
  if (!closed_) WaitReadable();
}

// Reads once; true when more may be waiting.
bool Session::Receive() {
  std::vector<std::uint8_t>& buffer = ReadBuffer();
  const ssize_t size = link_->Read(buffer);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (size < 0) return Close(link_->Why()), false;
  if (size == 0) return Close("closed by the other side"), false;
  pulse_.OnHeard();
  const auto bytes = std::span(buffer).first(static_cast<std::size_t>(size));
  return Feed(bytes) && (bytes.size() == buffer.size() || link_->more());
}

// Works input off; false when that closed the connection.
bool Session::Feed(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto slice = bytes.first(std::min(bytes.size(), kSlice));
    bytes = bytes.subspan(slice.size());
    const ssize_t used = nghttp2_session_mem_recv(session_, slice.data(), slice.size());
    if (used < 0) {
      malformed_ = true;
      if (used == NGHTTP2_ERR_FLOODED) return EndFlood(), false;
      return Close(nghttp2_strerror(static_cast<int>(used))), false;
    }
    if (received_ > 0) {
      nghttp2_session_consume_connection(session_, std::exchange(received_, 0));
    }
    if (!bytes.empty() && pending_.empty() && !GatherAhead()) return false;
  }
  return true;
}

// Frames what is there before more input is looked at, and sends it once it is a write's worth:
// nghttp2 takes answers that pile up for a flood. False when that closed the connection.
bool Session::GatherAhead() {
  std::string& out = WriteBuffer();
  if (!Gather(out)) return Close("protocol error"), false;
  if (out.size() < kWriteSize) return true;
  WriteOut(out);
  out.clear();
  return !closed_;
}

void Session::FlushSoon() {
  if (in_turn_ || flush_posted_ || closed_) return;
  flush_posted_ = true;
  boost::asio::post(loop_.io(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    if (self->closed_) return;
    WriteBuffer().clear();
    self->Flush();
  });
}

// Collects frames, a write's worth; false when the connection is beyond use.
bool Session::Gather(std::string& out) {
  out_ = &out;
  while (out.size() < kWriteSize) {
    const std::uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) return false;
    if (size == 0) break;
    out.append(View(data, static_cast<std::size_t>(size)));
  }
  return true;
}

// False when the socket takes no more now, or the connection was closed.
bool Session::WriteOut(std::string& out) {
  const ssize_t size = link_->Write(out);
  if (size < 0 && errno != EAGAIN && errno != EINTR) return Close(link_->Why()), false;
  const std::size_t written = size < 0 ? 0 : static_cast<std::size_t>(size);
  if (written == out.size()) return true;
  pending_.assign(out, written);
  WaitWritable();
  return false;
}

void Session::SendAll() {
  std::string& out = WriteBuffer();
  while (!closed_ && pending_.empty()) {
    if (!Gather(out)) return Close("protocol error");
    if (out.empty()) return;
    const bool written = WriteOut(out);
    out.clear();
    if (!written) return;
  }
}

void Session::Flush() {
  in_turn_ = true;
  SendAll();
  in_turn_ = false;
  if (closed_ || !pending_.empty()) return;  // WaitWritable continues
  if (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0) {
    lingers_ = role_ == Role::kServer;
    Close("ended");
  }
}

void Session::WaitWritable() {
  link_->WaitWritable([self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->closed_) return;
    std::string rest = std::move(self->pending_);
    self->pending_.clear();
    if (!self->WriteOut(rest)) return;
    WriteBuffer().clear();
    self->Flush();
  });
}

void Session::Attach(Stream& stream, std::int32_t id) {
  stream.session_ = this;
  stream.id_ = id;
  streams_.push_back(stream);
  ++open_;
  pulse_.OnStream();
}

void Session::Detach(Stream& stream, std::uint32_t error, std::string_view why) {
  if (latest_ == &stream) latest_ = nullptr;
  nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr);
  stream.session_ = nullptr;
  stream.unlink();
  --open_;
  pulse_.OnStream();
  stream.why_ = why;
  stream.OnClose(error);
}

// A socket that is closed with unread bytes resets the connection, and a GOAWAY just sent is lost:
// what still comes is dropped for a moment.
void Session::Linger() {
  link_->CloseWrite();
  loop_.PostAfter(kLinger, [self = shared_from_this()] { self->link_->Close(); });
  DropInput();
}

void Session::DropInput() {
  link_->WaitReadable([self = shared_from_this()](const boost::system::error_code& error) {
    if (error) return;
    const ssize_t size = self->link_->Read(ReadBuffer());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return self->DropInput();
    if (size > 0) self->dropped_ += static_cast<std::size_t>(size);
    if (size <= 0 || self->dropped_ > kMostDropped) return self->link_->Close();
    self->DropInput();
  });
}

void Session::Close(std::string_view reason, bool tell) {
  if (closed_) return;
  const auto self = shared_from_this();
  closed_ = true;
  pulse_.Cancel();
  lingers_ ? Linger() : link_->Close();
  std::string why = refused_for_.empty() ? farewell_ : refused_for_;
  if (why.empty()) why = reason;
  while (!streams_.empty()) Detach(streams_.front(), kConnectionLost, why);
  if (tell) owner_->OnSessionClosed(*this, why, malformed_);
}

void Session::Shutdown() {
  if (closed_ || draining_) return;
  draining_ = true;
  if (role_ == Role::kServer) {
    // The notice, then a ping: its answer tells that no request sent before the notice is on its
    // way.
    nghttp2_submit_shutdown_notice(session_);
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kFarewellPing.data());
    pulse_.OnPing();
  } else {
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0);
  }
  FlushSoon();
}

void Session::Ping() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  FlushSoon();
}

// Much talk about nothing, faster than anybody needs it.
void Session::OnChatter() {
  if (++chatter_ < kMostChatter) return;
  const TimePoint now = std::chrono::steady_clock::now();
  const bool calm = now - std::exchange(chatter_began_, now) > kChatterTime;
  chatter_ = 0;
  if (calm || malformed_) return;
  refused_for_ = kTooMuchChatter;
  nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
}

// More wants an answer than nghttp2 keeps in mind, before what it had could leave. The last word
// goes out as far as the socket takes it.
void Session::EndFlood() {
  refused_for_ = kTooMuchChatter;
  nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
  std::string& out = WriteBuffer();
  out.insert(0, std::exchange(pending_, {}));
  for (bool more = true; more && Gather(out);) {
    const bool full = out.size() >= kWriteSize;
    more = link_->Write(out) == static_cast<ssize_t>(out.size()) && full;
    out.clear();
  }
  lingers_ = true;
  Close(kTooMuchChatter);
}

// nghttp2 has seen something that ends the connection.
void Session::OnGoawaySent(const nghttp2_goaway& goaway) {
  if (goaway.error_code == NGHTTP2_NO_ERROR) return;
  malformed_ = true;
  if (!refused_for_.empty()) return;
  refused_for_ = nghttp2_http2_strerror(goaway.error_code);
  if (goaway.opaque_data_len > 0) {
    refused_for_.append(": ").append(View(goaway.opaque_data, goaway.opaque_data_len));
  }
}

void Session::OnGoaway(const nghttp2_goaway& goaway) {
  goaway_received_ = true;
  if (goaway.error_code == NGHTTP2_NO_ERROR) return;
  farewell_ =
      "the other side said GOAWAY, " + std::string(nghttp2_http2_strerror(goaway.error_code));
  std::string words(View(goaway.opaque_data, std::min(goaway.opaque_data_len, kMostFarewell)));
  std::ranges::replace_if(words, [](char c) { return c < ' ' || c > '~'; }, '?');
  if (!words.empty()) farewell_ += ": " + words;
}

void Session::OnPingAck(std::span<const std::uint8_t, 8> payload) {
  if (!draining_ || goaway_sent_ || !std::ranges::equal(payload, kFarewellPing)) return;
  goaway_sent_ = true;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  FlushSoon();
}

bool Session::has_room() const {
  return open_ < (settings_received_ ? nghttp2_session_get_remote_settings(
                                           session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
                                     : kFirstStreams);
}

bool Session::SubmitRequest(Stream& stream, std::span<const nghttp2_nv> fields) {
  nghttp2_data_provider body{{.ptr = &stream}, Callbacks::ReadBody};
  const std::int32_t id =
      nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), &body, &stream);
  if (id < 0) return false;
  Attach(stream, id);
  FlushSoon();
  return true;
}

// A client's streams have odd numbers.
std::uint32_t Session::submitted() const {
  return nghttp2_session_get_next_stream_id(session_) / 2;
}

void Session::SubmitResponse(Stream& stream, std::span<const nghttp2_nv> fields, bool with_body) {
  nghttp2_data_provider body{{.ptr = &stream}, Callbacks::ReadBody};
  nghttp2_submit_response(session_, stream.id_, fields.data(), fields.size(),
                          with_body ? &body : nullptr);
  FlushSoon();
}

void Session::SubmitTrailers(Stream& stream, std::span<const nghttp2_nv> fields) {
  nghttp2_submit_trailer(session_, stream.id_, fields.data(), fields.size());
  FlushSoon();
}

void Session::Reset(Stream& stream, std::uint32_t error) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, error);
  FlushSoon();
}

void Session::Replace(Stream& old, Stream& fresh) {
  if (latest_ == &old) latest_ = &fresh;
  nghttp2_session_set_stream_user_data(session_, old.id_, &fresh);
  Attach(fresh, old.id_);
  --open_;
  old.session_ = nullptr;
  old.unlink();
}

void Session::Resume(Stream& stream) {
  if (!std::exchange(stream.deferred_, false)) return;
  nghttp2_session_resume_data(session_, stream.id_);
  FlushSoon();
}

void Session::Consume(Stream& stream, std::size_t bytes) {
  stream.consumed_ += bytes;
  if (stream.consumed_ < kConsumeStep) return;
  nghttp2_session_consume_stream(session_, stream.id_, std::exchange(stream.consumed_, 0));
  FlushSoon();
}

}  // namespace micro::http2
