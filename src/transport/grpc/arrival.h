#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "micro/duration.h"

#include "net/link.h"
#include "runtime/loop.h"

namespace micro::grpc {

/// What the first bytes of a connection are the beginning of.
enum class Speech : std::uint8_t {
  kUndecided,  ///< more is needed
  kHttp2,      ///< its preface (RFC 9113 section 3.4)
  kHttp1,      ///< what may be a request line
  kTls,        ///< a ClientHello
  kOther,      ///< nothing that is spoken here
};
Speech Listen(std::string_view bytes);

/// A connection that has come in and has yet to show what it speaks. Keeps itself alive until it
/// has, or is closed.
class Arrival final : public std::enable_shared_from_this<Arrival>, private runtime::Timer {
 public:
  class Owner {
   public:
    /// It has spoken. `bytes` were read from `link`. The owner forgets the arrival.
    virtual void OnArrival(Arrival& arrival, Speech speech, std::unique_ptr<net::Link> link,
                           std::string bytes) = 0;
    /// It is closed, for `reason`. `malformed`: it spoke nothing that is spoken here.
    virtual void OnTurnedAway(Arrival& arrival, std::string_view reason, bool malformed) = 0;

   protected:
    ~Owner() = default;
  };

  Arrival(runtime::Loop& loop, std::unique_ptr<net::Link> link, Owner& owner);

  /// Waits, `patience` at the most.
  void Start(Duration patience);
  void Close(std::string_view reason, bool malformed = false);

  runtime::Loop& loop() { return loop_; }
  const std::string& peer() const { return peer_; }

 private:
  void Fire() override { Close("it did not say in time what it speaks", true); }
  void Wait();
  void OnReadable();
  void Decide();

  runtime::Loop& loop_;
  std::unique_ptr<net::Link> link_;  // null once it has spoken
  const std::string peer_;
  Owner* owner_;
  std::string bytes_;
};

}  // namespace micro::grpc
