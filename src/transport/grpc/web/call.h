#pragma once

#include <string>
#include <string_view>

#include "micro/transport.h"

#include "net/http/exchange.h"
#include "transport/grpc/web/request.h"

namespace micro::web {

/// What a call needs of the port it came in by.
struct Port {
  transport::Acceptor& acceptor;
  transport::Limits limits;
};

/// A call as the server sees it, on an HTTP exchange. What differs by protocol is for those who
/// derive from it.
///
/// Two hold it: the exchange until it is over, the server until it gives the call back. It deletes
/// itself when both have let go.
class Call : public transport::ServerStream, public http::Receiver {
 public:
  /// `fields` are those that every answer carries.
  Call(Port& port, http::Exchange& exchange, Request request, Metadata fields);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// Hands it to the server, or answers what is wrong with it already. The caller of this must not
  /// use it any more.
  void Open(const Status& status);

  // http::Receiver
  void OnBody(std::string_view bytes) final;
  void OnBodyEnd() final;
  void OnDrained() final;
  void OnClosed() final;

  // transport::ServerStream
  EventLoop& loop() final { return loop_; }
  transport::CallHead& head() final { return head_; }
  const std::string& peer() const final { return peer_; }
  transport::Read TryRead(std::string& message) final;
  void WaitReadable(transport::Waiter& waiter) final { read_waiter_ = &waiter; }
  void Write(std::string& message) final;
  bool writable() const final;
  void WaitWritable(transport::Waiter& waiter) final { write_waiter_ = &waiter; }
  void WaitClosed(transport::Waiter& waiter) final { close_waiter_ = &waiter; }
  void SetMetadata(const Metadata& metadata) final { metadata_ = metadata; }
  void Finish(const Status& status, const Metadata& trailers) final;
  void Reset(Code reason) final;
  void Release() final;
  bool ended() const final { return finished_ || exchange_ == nullptr; }

 protected:
  virtual ~Call() = default;

  /// Takes bytes of the request's body, which is bounded by `most_body`.
  virtual Status TakeBody(std::string_view bytes) = 0;
  /// The body is complete.
  virtual Status TakeEnd() = 0;
  /// Whether a message can be taken.
  virtual bool ready() const = 0;
  /// Swaps it out.
  virtual void TakeMessage(std::string& message) = 0;
  /// Sends a message, which stands behind transport::kHeadroom bytes.
  virtual void SendMessage(std::string& message) = 0;
  /// Sends what is left to be sent, and ends the exchange.
  virtual void SendEnd(const Status& status, const Metadata& trailers) = 0;
  virtual std::size_t most_body() const = 0;

  http::Exchange& exchange() { return *exchange_; }
  const Port& port() const { return port_; }
  const Metadata& metadata() const { return metadata_; }
  /// The fields of the answer.
  Metadata& fields() { return fields_; }

 private:
  class Busy;

  void Break(const Status& why);

  Port& port_;
  EventLoop& loop_;
  http::Exchange* exchange_;  // null once it is over
  std::string peer_;
  std::string path_;
  transport::CallHead head_;
  Metadata fields_;
  Metadata metadata_;
  std::size_t body_bytes_ = 0;
  bool body_ended_ = false;
  bool finished_ = false;
  bool released_ = false;
  int busy_ = 0;
  transport::Waiter* read_waiter_ = nullptr;
  transport::Waiter* write_waiter_ = nullptr;
  transport::Waiter* close_waiter_ = nullptr;
};

}  // namespace micro::web
