#include "net/http2/callbacks.h"

#include <algorithm>

#include "net/http2/memory.h"

namespace micro::http2 {

Session& Callbacks::Self(void* user) { return *static_cast<Session*>(user); }

// Frames of one stream tend to follow each other: the latest stream saves most of the look-ups.
Stream* Callbacks::StreamOf(Session& self, std::int32_t id) {
  if (self.latest_ != nullptr && self.latest_->id_ == id) return self.latest_;
  self.latest_ = static_cast<Stream*>(nghttp2_session_get_stream_user_data(self.session_, id));
  return self.latest_;
}

// nghttp2 forgives a client that opens a stream a second time or out of order, as it does not
// remember those that are over. It is a mistake (RFC 9113 section 5.1.1), unless these are trailers
// of a request that we reset, which the client does not know yet.
int Callbacks::OnBeginFrame(nghttp2_session* session, const nghttp2_frame_hd* head, void* user) {
  if (head->type != NGHTTP2_HEADERS) return 0;
  const Session& self = Self(user);
  const std::int32_t id = head->stream_id;
  if (self.role_ != Role::kServer || id > self.newest_ || id % 2 == 0) return 0;
  if (nghttp2_session_find_stream(session, id) != nullptr || self.resets_.MayHave(id)) return 0;
  return nghttp2_session_terminate_session(session, NGHTTP2_STREAM_CLOSED);
}

int Callbacks::OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  Session& self = Self(user);
  self.newest_ = frame->hd.stream_id;
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

int Callbacks::OnHeader(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                        const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                        std::size_t value_size, std::uint8_t /*flags*/, void* user) {
  Stream* stream = StreamOf(Self(user), frame->hd.stream_id);
  if (stream == nullptr) return 0;
  const bool wanted = stream->OnHeader(View(name, name_size), View(value, value_size));
  return wanted ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

int Callbacks::OnData(nghttp2_session* /*session*/, std::uint8_t /*flags*/, std::int32_t id,
                      const std::uint8_t* data, std::size_t size, void* user) {
  Self(user).received_ += size;
  if (Stream* stream = StreamOf(Self(user), id)) stream->OnData(View(data, size));
  return 0;
}

int Callbacks::OnFrame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
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
    case NGHTTP2_SETTINGS:
      if (!ack) Self(user).settings_received_ = true;
      return 0;
    case NGHTTP2_GOAWAY:
      Self(user).OnGoaway(frame->goaway);
      return 0;
    default:
      return 0;
  }
}

void Callbacks::OnEnd(Session& self, std::int32_t id) {
  if (Stream* stream = StreamOf(self, id)) stream->OnEnd();
}

int Callbacks::OnFrameSent(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type == NGHTTP2_RST_STREAM) Self(user).resets_.Add(frame->hd.stream_id);
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  if (Stream* stream = StreamOf(Self(user), frame->hd.stream_id)) stream->OnSent();
  return 0;
}

// nghttp2 resets a stream for it, one that was never opened included.
int Callbacks::OnInvalidFrame(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                              int /*error*/, void* user) {
  if (frame->hd.stream_id != 0) Self(user).resets_.Add(frame->hd.stream_id);
  return 0;
}

int Callbacks::OnStreamClose(nghttp2_session* /*session*/, std::int32_t id, std::uint32_t error,
                             void* user) {
  Session& self = Self(user);
  if (Stream* stream = StreamOf(self, id)) self.Detach(*stream, error, self.farewell_);
  return 0;
}

ssize_t Callbacks::ReadBody(nghttp2_session* /*session*/, std::int32_t /*id*/,
                            std::uint8_t* /*buf*/, std::size_t length, std::uint32_t* flags,
                            nghttp2_data_source* source, void* /*user*/) {
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

int Callbacks::SendData(nghttp2_session* /*session*/, nghttp2_frame* /*frame*/,
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

nghttp2_session_callbacks* Callbacks::Make() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, OnBeginFrame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, OnInvalidFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, SendData);
  return callbacks;
}

nghttp2_option* Callbacks::MakeOption() {
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_no_auto_window_update(option, 1);
  return option;
}

nghttp2_session* Callbacks::MakeSession(Role role, void* user) {
  static nghttp2_session_callbacks* const callbacks = Make();
  static nghttp2_option* const option = MakeOption();
  nghttp2_session* session = nullptr;
  const auto make =
      role == Role::kServer ? nghttp2_session_server_new3 : nghttp2_session_client_new3;
  make(&session, callbacks, user, option, PooledMemory());
  return session;
}

}  // namespace micro::http2
