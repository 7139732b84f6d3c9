#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "micro/duration.h"

#include "net/http/exchange.h"
#include "net/http1/head.h"
#include "net/http1/parser.h"
#include "net/link.h"
#include "runtime/loop.h"

namespace micro::http1 {

struct Limits {
  std::size_t max_head = 16U << 10U;  ///< bytes of a request's line and fields
  /// For a head to be whole, and for each kilobyte of a body.
  Duration patience = std::chrono::seconds(10);
  /// Between two requests, and for a reader to take anything at all.
  Duration idle = std::chrono::seconds(60);
};

/// The server's end of one HTTP/1.1 connection, on one event loop. It is each of its exchanges, one
/// at a time: requests that are sent ahead of their turn wait.
///
/// It keeps itself alive until it is closed; the owner is told then, and never again.
class Connection final : public http::Exchange,
                         public std::enable_shared_from_this<Connection>,
                         private runtime::Timer {
 public:
  /// Who holds the connection.
  class Owner {
   public:
    /// A request has come in, its body excepted. It may be answered at once.
    virtual void OnRequest(http::Exchange& exchange, http::Request request) = 0;
    /// The connection is closed, for `reason`. `malformed`: what came was no HTTP.
    virtual void OnConnectionClosed(Connection& connection, std::string_view reason,
                                    bool malformed) = 0;

   protected:
    ~Owner() = default;
  };

  Connection(runtime::Loop& loop, std::unique_ptr<net::Link> link, const Limits& limits,
             Owner& owner);

  /// Begins, with bytes that were read already. `last`: the first request is the last as well.
  void Start(std::string received, bool last = false);
  /// Takes no more requests and closes when the one there is answered.
  void Shutdown();
  /// Closes at once.
  void Close(std::string_view reason);

  // http::Exchange
  EventLoop& loop() override { return loop_; }
  const std::string& peer() const override { return link_->peer(); }
  void Attach(http::Receiver& receiver) override { receiver_ = &receiver; }
  void Leave() override;
  void SendHead(int status, const Metadata& fields, std::optional<std::size_t> length) override;
  void Send(std::string& bytes) override;
  void End() override;
  void Abort() override;
  std::size_t unsent() const override { return out_.size() - sent_; }

 private:
  enum class Phase : std::uint8_t {
    kHead,    // of the next request
    kBody,    // the request's body is coming in
    kAnswer,  // the request is complete, its response is not
    kLinger,  // what comes is thrown away until the other side has closed
  };
  struct Stall final : runtime::Timer {
    explicit Stall(Connection& owner) : connection(owner) {}
    void Fire() override { connection.Close("the other side takes no answer"); }
    Connection& connection;
  };

  void Fire() override;
  bool idle() const { return phase_ == Phase::kHead && pending().empty() && unsent() == 0; }
  void Wait(Duration time);
  void WaitReadable();
  void WaitWritable();
  void OnReadable();
  bool wants_input() const;
  bool Receive();
  void Turn();
  void TurnSoon();
  bool Step();
  bool StepHead();
  bool StepBody();
  bool StepAnswer();
  std::string_view pending() const { return std::string_view(in_).substr(taken_); }
  void Take(std::size_t bytes);
  bool OnEof();
  void Begin(std::string_view head);
  void OnBodyEnd();
  void NextRequest();
  void Refuse(const Error& fault);
  void Linger();
  bool Flush();
  void OnDrained();
  void SayFarewell();

  runtime::Loop& loop_;
  std::unique_ptr<net::Link> link_;
  const Limits limits_;
  Owner* owner_;
  Stall stall_{*this};
  Phase phase_ = Phase::kHead;
  std::string refused_;  // why what came was no HTTP

  // Of the connection.
  std::string in_;
  std::size_t taken_ = 0;    // bytes of in_ that are worked off
  std::size_t looked_ = 0;   // bytes behind those that hold no end of a head
  std::size_t checked_ = 0;  // bytes behind those without a fault in their lines
  std::string out_;
  std::size_t sent_ = 0;  // bytes of out_ that have left
  bool reading_ = false;
  bool writing_ = false;
  bool in_turn_ = false;
  bool turn_posted_ = false;
  bool draining_ = false;
  bool eof_ = false;       // the other side sends no more, and still takes answers
  bool farewell_ = false;  // it has been told that no more will be sent
  bool closed_ = false;

  // Of the exchange.
  Parser parser_;
  http::Receiver* receiver_ = nullptr;
  std::size_t progress_ = 0;  // bytes of the body since the timer was set
  Framing framing_ = Framing::kNone;
  bool head_begun_ = false;
  bool head_only_ = false;  // HEAD: the body is left out
  bool head_sent_ = false;
  bool ended_ = false;
  bool aborted_ = false;
  bool close_ = false;  // the connection ends with this exchange
};

}  // namespace micro::http1
