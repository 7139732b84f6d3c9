#include "net/http2/session.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "base/address.h"
#include "net/http2/memory.h"

namespace micro::http2 {
namespace {

constexpr std::size_t kReadSize = 128U << 10U;
constexpr std::size_t kWriteSize = 64U << 10U;
// Input is worked off in slices, and what answers one is framed before the next is looked at: the
// streams that a slice is about stay in the processor's first-level cache.
constexpr std::size_t kSlice = 2U << 10U;
// Reads of one connection before the loop's others get their turn.
constexpr int kReadsPerTurn = 4;
// Bytes of a stream's window that are given back at a time; most calls are over before.
constexpr std::size_t kConsumeStep = 16U << 10U;

std::string_view View(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

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

std::string PeerOf(const boost::asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? "unknown" : JoinHostPort(endpoint.address().to_string(), endpoint.port());
}

}  // namespace

nghttp2_nv Field(std::string_view name, std::string_view value) {
  return {Bytes(name), Bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

nghttp2_nv StaticField(std::string_view name, std::string_view value) {
  return {Bytes(name), Bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

/// nghttp2's callbacks, as members of the session they are for.
struct Callbacks {
  static Session& Self(void* user) { return *static_cast<Session*>(user); }

  // Frames of one stream tend to follow each other: the latest stream saves most of the look-ups.
  static Stream* StreamOf(Session& self, std::int32_t id) {
    if (self.latest_ != nullptr && self.latest_->id_ == id) return self.latest_;
    self.latest_ = static_cast<Stream*>(nghttp2_session_get_stream_user_data(self.session_, id));
    return self.latest_;
  }

  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    Session& self = Self(user);
    Stream* stream = self.owner_->OnStream(self);
    if (stream == nullptr) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                NGHTTP2_REFUSED_STREAM);
      return 0;
    }
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    self.Attach(*stream, frame->hd.stream_id);
    self.latest_ = stream;
    return 0;
  }

  static int OnHeader(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                      const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                      std::size_t value_size, std::uint8_t /*flags*/, void* user) {
    Stream* stream = StreamOf(Self(user), frame->hd.stream_id);
    if (stream == nullptr) return 0;
    const bool wanted = stream->OnHeader(View(name, name_size), View(value, value_size));
    return wanted ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int OnData(nghttp2_session* /*session*/, std::uint8_t /*flags*/, std::int32_t id,
                    const std::uint8_t* data, std::size_t size, void* user) {
    Self(user).received_ += size;
    if (Stream* stream = StreamOf(Self(user), id)) stream->OnData(View(data, size));
    return 0;
  }

  static int OnFrame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
    const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (Stream* stream = StreamOf(Self(user), frame->hd.stream_id)) {
          stream->OnHeaders(end);
          if (end) OnEnd(Self(user), frame->hd.stream_id);
        }
        return 0;
      case NGHTTP2_DATA:
        if (end) OnEnd(Self(user), frame->hd.stream_id);
        return 0;
      case NGHTTP2_PING:
        if (ack) Self(user).OnPingAck();
        return 0;
      case NGHTTP2_GOAWAY:
        Self(user).goaway_received_ = true;
        return 0;
      default:
        return 0;
    }
  }

  static void OnEnd(Session& self, std::int32_t id) {
    if (Stream* stream = StreamOf(self, id)) stream->OnEnd();
  }

  static int OnFrameSent(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    if (Stream* stream = StreamOf(Self(user), frame->hd.stream_id)) stream->OnSent();
    return 0;
  }

  static int OnStreamClose(nghttp2_session* /*session*/, std::int32_t id, std::uint32_t error,
                           void* user) {
    if (Stream* stream = StreamOf(Self(user), id)) Self(user).Detach(*stream, error);
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session* /*session*/, std::int32_t /*id*/, std::uint8_t* /*buf*/,
                          std::size_t length, std::uint32_t* flags, nghttp2_data_source* source,
                          void* /*user*/) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    const std::size_t size = std::min(length, stream.unsent());
    if (size == 0 && !stream.ended_) {
      stream.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (stream.ended_ && size == stream.unsent()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (stream.trailers_) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        stream.OnTrailersDue();
      }
    }
    return static_cast<ssize_t>(size);
  }

  static int SendData(nghttp2_session* /*session*/, nghttp2_frame* /*frame*/,
                      const std::uint8_t* frame_head, std::size_t length,
                      nghttp2_data_source* source, void* user) {
    constexpr std::size_t kFrameHead = 9;
    auto& stream = *static_cast<Stream*>(source->ptr);
    std::string& out = *Self(user).out_;
    out.append(View(frame_head, kFrameHead)).append(stream.body_, stream.sent_, length);
    stream.sent_ += length;
    if (stream.unsent() == 0) {
      stream.body_.clear();
      stream.sent_ = 0;
      stream.OnDrained();
    }
    return 0;
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, SendData);
    return callbacks;
  }

  static nghttp2_option* MakeOption() {
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_no_auto_window_update(option, 1);
    return option;
  }

  static nghttp2_session* MakeSession(Role role, void* user) {
    static nghttp2_session_callbacks* const callbacks = Make();
    static nghttp2_option* const option = MakeOption();
    nghttp2_session* session = nullptr;
    const auto make =
        role == Role::kServer ? nghttp2_session_server_new3 : nghttp2_session_client_new3;
    make(&session, callbacks, user, option, PooledMemory());
    return session;
  }
};

void Stream::ResetStream() {
  deferred_ = ended_ = trailers_ = false;
  sent_ = consumed_ = 0;
  id_ = -1;
  body_.clear();
}

void Stream::Resume() {
  if (session_ != nullptr) session_->Resume(*this);
}

Session::Session(runtime::Loop& loop, boost::asio::ip::tcp::socket socket, Role role,
                 const Settings& settings, Owner& owner)
    : loop_(loop),
      socket_(std::move(socket)),
      owner_(&owner),
      role_(role),
      session_(Callbacks::MakeSession(role, this)),
      peer_(PeerOf(socket_)) {
  boost::system::error_code ignored;
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
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

void Session::Start() {
  WaitReadable();
  FlushSoon();
}

void Session::WaitReadable() {
  socket_.async_wait(boost::asio::ip::tcp::socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (!error && !self->closed_) self->OnReadable();
                     });
}

void Session::OnReadable() {
  WriteBuffer().clear();
  in_turn_ = true;
  for (int turn = 0; turn < kReadsPerTurn; ++turn) {
    if (!Receive()) break;
  }
  in_turn_ = false;
  if (closed_) return;
  Flush();
  if (!closed_) WaitReadable();
}

// Reads once; true when more may be waiting.
bool Session::Receive() {
  std::vector<std::uint8_t>& buffer = ReadBuffer();
  const ssize_t size = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (size < 0) return Close(std::strerror(errno)), false;
  if (size == 0) return Close("closed by the other side"), false;
  const auto bytes = std::span(buffer).first(static_cast<std::size_t>(size));
  return Feed(bytes) && bytes.size() == buffer.size();
}

// Works input off; false when that closed the connection.
bool Session::Feed(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto slice = bytes.first(std::min(bytes.size(), kSlice));
    bytes = bytes.subspan(slice.size());
    const ssize_t used = nghttp2_session_mem_recv(session_, slice.data(), slice.size());
    if (used < 0) {
      malformed_ = true;
      return Close(nghttp2_strerror(static_cast<int>(used))), false;
    }
    if (received_ > 0) {
      nghttp2_session_consume_connection(session_, std::exchange(received_, 0));
    }
    if (!bytes.empty() && pending_.empty() && !Gather(WriteBuffer())) {
      return Close("protocol error"), false;
    }
  }
  return true;
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
  const ssize_t size = ::send(socket_.native_handle(), out.data(), out.size(), MSG_NOSIGNAL);
  if (size < 0 && errno != EAGAIN && errno != EINTR) return Close(std::strerror(errno)), false;
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
    Close("ended");
  }
}

void Session::WaitWritable() {
  socket_.async_wait(boost::asio::ip::tcp::socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
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
}

void Session::Detach(Stream& stream, std::uint32_t error) {
  if (latest_ == &stream) latest_ = nullptr;
  nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr);
  stream.session_ = nullptr;
  stream.unlink();
  --open_;
  stream.OnClose(error);
}

void Session::Close(std::string_view reason, bool tell) {
  if (closed_) return;
  const auto self = shared_from_this();
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  while (!streams_.empty()) Detach(streams_.front(), kConnectionLost);
  if (tell) owner_->OnSessionClosed(*this, reason, malformed_);
}

void Session::Shutdown() {
  if (closed_ || draining_) return;
  draining_ = true;
  if (role_ == Role::kServer) {
    // The notice, then a ping: its answer tells that no request sent before the notice is on its
    // way.
    nghttp2_submit_shutdown_notice(session_);
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  } else {
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0);
  }
  FlushSoon();
}

void Session::OnPingAck() {
  if (!draining_ || goaway_sent_) return;
  goaway_sent_ = true;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  FlushSoon();
}

bool Session::has_room() const {
  return open_ <
         nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
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
