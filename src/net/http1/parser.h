#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "micro/error.h"

#include "net/http/exchange.h"

namespace micro::http1 {

/// Why a request cannot be served: http_code() is the status to answer.
Error Fault(int status, std::string why);

/// Reads one request by the book (RFC 9112), and nothing that two readers could understand in two
/// ways.
class Parser {
 public:
  Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser();

  /// Begins with the next request: reads its head, which is complete.
  Result<http::Request> ReadHead(std::string_view head);

  /// Reads on in the body: how many bytes that took, and in `body` what they hold of it.
  Result<std::size_t> ReadBody(std::string_view bytes, std::string& body);

  // After ReadHead.
  /// Whether the request is complete.
  bool done() const;
  /// What of the body is still to come, where that is known.
  std::optional<std::uint64_t> remaining() const;
  /// Whether its sender can take another response on this connection.
  bool keep_alive() const;
  /// Whether its sender knows HTTP/1.1.
  bool http11() const;
  /// Whether the sender waits with the body to be told to go on.
  bool expects_continue() const;

 private:
  class Beast;
  std::unique_ptr<Beast> beast_;
};

}  // namespace micro::http1
