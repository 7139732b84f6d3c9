#pragma once

#include <coroutine>
#include <string>

#include "micro/transport.h"

#include "runtime/signal.h"

namespace micro::client {

/// Awaitable: the next message of a stream, swapped into `message`, or its end; kPending when
/// patience was over before.
class Readable final : public transport::Waiter, public runtime::Wait {
 public:
  Readable(transport::ClientStream& stream, std::string& message, const runtime::Patience& patience)
      : Wait(patience), stream_(stream), message_(message) {}

  bool await_ready() {
    read_ = stream_.TryRead(message_);
    return read_ != transport::Read::kPending;
  }
  bool await_suspend(std::coroutine_handle<> waiting) {
    stream_.WaitReadable(*this);
    return Suspend(waiting);
  }
  transport::Read await_resume() const { return read_; }
  void Wake() override {
    if (!await_ready()) return stream_.WaitReadable(*this);
    Settle();
  }

 private:
  transport::ClientStream& stream_;
  std::string& message_;
  transport::Read read_ = transport::Read::kPending;
};

}  // namespace micro::client
