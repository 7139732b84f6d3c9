#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "socket.h"

namespace micro::e2e {

/// A response as it came by HTTP/1.1.
struct HttpAnswer {
  int status = 0;  ///< 0: none came
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool whole = false;  ///< whether it came to its end
  std::string Get(std::string_view name) const;
  bool Has(std::string_view name) const;
};

/// HTTP/1.1 over a blocking socket, as plain as can be: what is sent is up to the test.
class HttpPeer {
 public:
  explicit HttpPeer(const std::string& address) : socket_(Socket::Dial(address)) {}

  bool Send(std::string_view bytes) { return socket_.Send(bytes); }
  /// The next response. `head_only`: it has no body, whatever it says.
  HttpAnswer Receive(bool head_only = false);
  /// Sends a request and reads its response; `lines` are header lines, each with CRLF.
  HttpAnswer Ask(const std::string& method, const std::string& target,
                 const std::string& lines = "", const std::string& body = "");
  Socket& socket() { return socket_; }

 private:
  bool More();
  std::string Line();
  bool ReadBytes(std::size_t count, std::string& body);
  bool ReadChunks(std::string& body);

  Socket socket_;
  std::string came_;
};

/// A request, with Host and, where there is a body, Content-Length.
std::string HttpRequest(const std::string& method, const std::string& target,
                        const std::string& lines = "", const std::string& body = "");

}  // namespace micro::e2e
