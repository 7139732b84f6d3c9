#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "micro/event_loop.h"
#include "micro/metadata.h"

namespace micro::http {

/// What opens an exchange, as it came.
struct Request {
  std::string method;     ///< "POST"
  std::string target;     ///< path and query, "/healthz?verbose=1"
  std::string authority;  ///< "example.org:8080"
  Metadata fields;        ///< the header fields, their names in lower case
};

/// Who takes what comes of an exchange after its head. Called on the exchange's loop, and may let
/// go of the exchange from within.
class Receiver {
 public:
  virtual void OnBody(std::string_view bytes) = 0;
  /// The request is complete.
  virtual void OnBodyEnd() = 0;
  /// All that was sent has left.
  virtual void OnDrained() = 0;
  /// The exchange is over, answered or not. It is gone after this.
  virtual void OnClosed() = 0;

 protected:
  ~Receiver() = default;
};

/// One request and its response, seen from the side that serves it, whatever version of HTTP it
/// came by. Lives on one event loop; all members are called on its thread. None of them calls the
/// receiver back before it returns.
///
/// The connection holds it, until it is answered in full and the request is complete, or until one
/// of the two ends breaks off.
class Exchange {
 public:
  virtual EventLoop& loop() = 0;
  /// Who asks, "127.0.0.1:41897".
  virtual const std::string& peer() const = 0;

  /// Says who takes the rest; without a receiver it is thrown away.
  virtual void Attach(Receiver& receiver) = 0;
  /// The receiver hears no more, and must not use the exchange any more. What was not ended is
  /// aborted.
  virtual void Leave() = 0;

  /// Begins the response. `length`: the bytes of its body, if they are known.
  virtual void SendHead(int status, const Metadata& fields, std::optional<std::size_t> length) = 0;
  /// Sends bytes of the body. What is left in `bytes` is of no meaning.
  virtual void Send(std::string& bytes) = 0;
  /// The response is complete.
  virtual void End() = 0;
  /// Breaks off: the other side sees that the response is not whole.
  virtual void Abort() = 0;
  /// Bytes that were sent and have not left.
  virtual std::size_t unsent() const = 0;

 protected:
  ~Exchange() = default;
};

/// Sends a whole response.
inline void Answer(Exchange& exchange, int status, const Metadata& fields, std::string body) {
  exchange.SendHead(status, fields, body.size());
  if (!body.empty()) exchange.Send(body);
  exchange.End();
}

}  // namespace micro::http
