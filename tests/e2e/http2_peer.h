#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "socket.h"

namespace micro::e2e {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// What came on one stream.
struct Incoming {
  HeaderList headers;  ///< trailers included
  std::string body;
  bool ended = false;                  ///< the other side has half-closed
  std::optional<std::uint32_t> error;  ///< set once the stream is over
  std::string Get(std::string_view name) const;
  bool Has(std::string_view name) const;
};

/// A message behind gRPC's prefix.
std::string GrpcFrame(std::string_view message);

/// HTTP/2 as libnghttp2 itself speaks it, over a blocking socket: the other half of what is tested.
class Http2Peer {
 public:
  enum class Role { kClient, kServer };

  Http2Peer(Socket socket, Role role);
  Http2Peer(const Http2Peer&) = delete;
  Http2Peer& operator=(const Http2Peer&) = delete;
  ~Http2Peer();

  /// Sends a request; without `end` more of it could follow, but never does.
  std::int32_t Request(const HeaderList& headers, std::string body, bool end = true);
  /// Answers a request; with trailers behind the body.
  void Answer(std::int32_t stream, const HeaderList& headers, std::string body,
              const HeaderList& trailers);
  void Reset(std::int32_t stream, std::uint32_t error = NGHTTP2_CANCEL);
  void Ping();

  /// Reads and writes until `condition` holds; false when the connection ends first.
  bool RunUntil(const std::function<bool()>& condition);
  /// Waits until a stream is over.
  Incoming& Finish(std::int32_t stream);
  /// Sends what is there to be sent.
  bool Flush();

  std::map<std::int32_t, Incoming>& streams() { return streams_; }
  /// Pings that came; they are answered when the answers are sent.
  int pings() const { return pings_; }
  /// The error code of the latest GOAWAY, once one has come.
  std::optional<std::uint32_t> goaway() const { return goaway_; }
  /// What the other side allows.
  std::uint32_t Setting(nghttp2_settings_id id) const;
  Socket& socket() { return socket_; }

 private:
  struct Callbacks;
  struct Body {
    std::string bytes;
    std::size_t sent = 0;
    bool end = true;
    HeaderList trailers;
  };

  bool Pump();

  Socket socket_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Incoming> streams_;
  std::map<std::int32_t, Body> bodies_;
  int pings_ = 0;
  std::optional<std::uint32_t> goaway_;
};

}  // namespace micro::e2e
