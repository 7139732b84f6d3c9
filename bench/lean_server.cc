// The limit we measure against: nothing but epoll, nghttp2 and protobuf between the socket and the
// answer. It echoes whatever path is called; no TLS, deadlines, limits or graceful end.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "echo.h"
#include "flag.h"

namespace {

constexpr std::size_t kPrefix = 5;               // of a gRPC message: a flag, and its length
constexpr std::size_t kReadBytes = 256U << 10U;  // of a socket at a time
constexpr std::size_t kSendBytes = 64U << 10U;   // in one write, about

struct Call {
  std::string request;
  std::string response;
  std::size_t sent = 0;
};

/// A header line of two constants, which nghttp2 need not copy.
nghttp2_nv Line(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

bool EchoMessage(Call& call) {
  thread_local bench::Echo request;
  thread_local bench::Echo response;
  if (call.request.size() < kPrefix) return false;
  const auto body = std::string_view(call.request).substr(kPrefix);
  if (!request.ParseFromArray(body.data(), static_cast<int>(body.size()))) return false;
  bench::Answer(request, response);
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(response.ByteSizeLong()));
  call.response.assign(kPrefix, '\0');
  std::memcpy(call.response.data() + 1, &size, sizeof size);
  return response.AppendToString(&call.response);
}

ssize_t ReadAnswer(nghttp2_session* session, std::int32_t stream, std::uint8_t* to,
                   std::size_t room, std::uint32_t* flags, nghttp2_data_source* source, void*) {
  auto& call = *static_cast<Call*>(source->ptr);
  const std::size_t size = std::min(room, call.response.size() - call.sent);
  std::memcpy(to, call.response.data() + call.sent, size);
  call.sent += size;
  if (call.sent == call.response.size()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const nghttp2_nv trailer = Line("grpc-status", "0");
    nghttp2_submit_trailer(session, stream, &trailer, 1);
  }
  return static_cast<ssize_t>(size);
}

/// One client's connection.
class Connection {
 public:
  Connection(int socket, const nghttp2_session_callbacks* callbacks) : socket_(socket) {
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_session_server_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    const std::array<nghttp2_settings_entry, 1> settings{
        {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000}}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    nghttp2_session_del(session_);
    ::close(socket_);
  }

  /// Takes in what has come; false at the end.
  bool Receive() {
    thread_local std::vector<std::uint8_t> buffer(kReadBytes);
    const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (size < 0) return errno == EAGAIN;
    return size > 0 &&
           nghttp2_session_mem_recv(session_, buffer.data(), static_cast<std::size_t>(size)) >= 0;
  }

  /// Sends what there is, as far as the socket takes it; false when the connection is broken.
  bool Send() {
    while (true) {
      if (!Collect()) return false;
      if (output_.empty()) return true;
      const ssize_t size = ::send(socket_, output_.data(), output_.size(), MSG_NOSIGNAL);
      if (size < 0) return errno == EAGAIN;
      output_.erase(0, static_cast<std::size_t>(size));
    }
  }

  bool writes() const { return !output_.empty(); }

  void Open(std::int32_t stream) {
    if (idle_.empty()) idle_.push_back(calls_.emplace_back(std::make_unique<Call>()).get());
    nghttp2_session_set_stream_user_data(session_, stream, idle_.back());
    idle_.pop_back();
  }

  void Answer(std::int32_t stream) {
    Call* call = Find(stream);
    if (call == nullptr) return;
    if (!EchoMessage(*call)) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    const std::array lines{Line(":status", "200"), Line("content-type", "application/grpc")};
    nghttp2_data_provider provider{};
    provider.source.ptr = call;
    provider.read_callback = ReadAnswer;
    nghttp2_submit_response(session_, stream, lines.data(), lines.size(), &provider);
  }

  void Close(std::int32_t stream) {
    Call* call = Find(stream);
    if (call == nullptr) return;
    call->request.clear();
    call->sent = 0;
    idle_.push_back(call);
  }

  Call* Find(std::int32_t stream) {
    return static_cast<Call*>(nghttp2_session_get_stream_user_data(session_, stream));
  }

 private:
  bool Collect() {
    while (output_.size() < kSendBytes) {
      const std::uint8_t* bytes = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
      if (size < 0) return false;
      if (size == 0) break;
      output_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
    return true;
  }

  int socket_;
  nghttp2_session* session_ = nullptr;
  std::string output_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<Call*> idle_;
};

int OnBegin(nghttp2_session*, const nghttp2_frame* frame, void* connection) {
  static_cast<Connection*>(connection)->Open(frame->hd.stream_id);
  return 0;
}

int OnData(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
           std::size_t size, void* connection) {
  Call* call = static_cast<Connection*>(connection)->Find(stream);
  if (call != nullptr) call->request.append(reinterpret_cast<const char*>(data), size);
  return 0;
}

int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* connection) {
  const bool content = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  if (content && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
    static_cast<Connection*>(connection)->Answer(frame->hd.stream_id);
  }
  return 0;
}

int OnClose(nghttp2_session*, std::int32_t stream, std::uint32_t, void* connection) {
  static_cast<Connection*>(connection)->Close(stream);
  return 0;
}

nghttp2_session_callbacks* Callbacks() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBegin);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
  return callbacks;
}

/// The whole server: one thread, which accepts, reads, answers.
class Server {
 public:
  explicit Server(int listener) : listener_(listener) { Watch(EPOLL_CTL_ADD, listener, EPOLLIN); }

  [[noreturn]] void Run() {
    std::array<epoll_event, 64> events{};
    while (true) {
      const int count = ::epoll_wait(poll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) Serve(events.at(i).data.fd);
    }
  }

 private:
  void Serve(int socket) {
    if (socket == listener_) return Accept();
    Connection& connection = *connections_[socket];
    const bool waited = connection.writes();
    if (!connection.Receive() || !connection.Send()) {
      connections_[socket].reset();
    } else if (waited != connection.writes()) {
      Watch(EPOLL_CTL_MOD, socket, connection.writes() ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
  }

  void Accept() {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (socket < 0) return;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto place = static_cast<std::size_t>(socket);
    if (connections_.size() <= place) connections_.resize(place + 1);
    connections_[place] = std::make_unique<Connection>(socket, callbacks_);
    Watch(EPOLL_CTL_ADD, socket, EPOLLIN);
    connections_[place]->Send();
  }

  void Watch(int how, int socket, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = socket;
    ::epoll_ctl(poll_, how, socket, &event);
  }

  int listener_;
  int poll_ = ::epoll_create1(0);
  nghttp2_session_callbacks* callbacks_ = Callbacks();
  std::vector<std::unique_ptr<Connection>> connections_;  // by socket
};

int Listen(const std::string& address) {
  const auto colon = address.rfind(':');
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &name.sin_addr);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return -1;
  return ::listen(socket, SOMAXCONN) == 0 ? socket : -1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto address = bench::FlagValue(argc, argv, "server_address", "127.0.0.1:50051");
  const int listener = Listen(address);
  if (listener < 0) {
    std::perror(address.c_str());
    return 1;
  }
  Server(listener).Run();
}
