#include "http2_peer.h"

#include <algorithm>

namespace micro::e2e {
namespace {

std::uint8_t* Bytes(const std::string& text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

std::string Text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

std::vector<nghttp2_nv> Fields(const HeaderList& headers) {
  std::vector<nghttp2_nv> fields;
  for (const auto& [name, value] : headers) {
    fields.push_back({Bytes(name), Bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return fields;
}

}  // namespace

std::string Incoming::Get(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

bool Incoming::Has(std::string_view name) const {
  return std::ranges::any_of(headers, [&](const auto& header) { return header.first == name; });
}

std::string GrpcFrame(std::string_view message) {
  std::string frame(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(message.size() >> shift);
  return frame.append(message);
}

struct Http2Peer::Callbacks {
  static Http2Peer& Self(void* user) { return *static_cast<Http2Peer*>(user); }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t, void* user) {
    Self(user).streams_[frame->hd.stream_id].headers.emplace_back(Text(name, name_size),
                                                                  Text(value, value_size));
    return 0;
  }

  static int OnData(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                    std::size_t size, void* user) {
    Self(user).streams_[id].body += Text(data, size);
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (frame->hd.type == NGHTTP2_PING && !ack) ++Self(user).pings_;
    if (frame->hd.type == NGHTTP2_GOAWAY) Self(user).goaway_ = frame->goaway.error_code;
    const bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      Self(user).streams_[frame->hd.stream_id].ended = true;
    }
    return 0;
  }

  static int OnClose(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    Self(user).streams_[id].error = error;
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                          std::size_t length, std::uint32_t* flags, nghttp2_data_source*,
                          void* user) {
    Body& body = Self(user).bodies_[id];
    const std::size_t size = std::min(length, body.bytes.size() - body.sent);
    std::copy_n(body.bytes.begin() + static_cast<std::ptrdiff_t>(body.sent), size, buffer);
    body.sent += size;
    if (body.sent < body.bytes.size()) return static_cast<ssize_t>(size);
    if (!body.end && size == 0) return NGHTTP2_ERR_DEFERRED;
    if (!body.end) return static_cast<ssize_t>(size);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!body.trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto fields = Fields(body.trailers);
      nghttp2_submit_trailer(session, id, fields.data(), fields.size());
    }
    return static_cast<ssize_t>(size);
  }
};

Http2Peer::Http2Peer(Socket socket, Role role) : socket_(std::move(socket)) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::OnClose);
  const auto make = role == Role::kServer ? nghttp2_session_server_new : nghttp2_session_client_new;
  make(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
}

Http2Peer::~Http2Peer() { nghttp2_session_del(session_); }

std::int32_t Http2Peer::Request(const HeaderList& headers, std::string body, bool end) {
  const auto fields = Fields(headers);
  const nghttp2_data_provider provider{{}, Callbacks::ReadBody};
  const bool empty = body.empty() && end;
  const std::int32_t stream = nghttp2_submit_request(
      session_, nullptr, fields.data(), fields.size(), empty ? nullptr : &provider, nullptr);
  bodies_[stream] = {.bytes = std::move(body), .sent = 0, .end = end, .trailers = {}};
  return stream;
}

void Http2Peer::Answer(std::int32_t stream, const HeaderList& headers, std::string body,
                       const HeaderList& trailers) {
  bodies_[stream] = {.bytes = std::move(body), .sent = 0, .end = true, .trailers = trailers};
  const auto fields = Fields(headers);
  const nghttp2_data_provider provider{{}, Callbacks::ReadBody};
  nghttp2_submit_response(session_, stream, fields.data(), fields.size(), &provider);
  Flush();
}

void Http2Peer::Reset(std::int32_t stream, std::uint32_t error) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, error);
}

std::uint32_t Http2Peer::Setting(nghttp2_settings_id id) const {
  return nghttp2_session_get_remote_settings(session_, id);
}

void Http2Peer::Ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }

bool Http2Peer::Flush() {
  while (true) {
    const std::uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) return false;
    if (size == 0) return true;
    if (!socket_.Send(Text(data, static_cast<std::size_t>(size)))) return false;
  }
}

bool Http2Peer::Pump() {
  if (!Flush()) return false;
  const std::string bytes = socket_.Receive();
  if (bytes.empty()) return false;
  const ssize_t used = nghttp2_session_mem_recv(session_, Bytes(bytes), bytes.size());
  return used >= 0 && Flush();
}

bool Http2Peer::RunUntil(const std::function<bool()>& condition) {
  while (!condition()) {
    if (!Pump()) return condition();
  }
  return true;
}

Incoming& Http2Peer::Finish(std::int32_t stream) {
  RunUntil([&] { return streams_[stream].error.has_value(); });
  return streams_[stream];
}

}  // namespace micro::e2e
