#include "micro/stream.h"

#include <utility>

namespace micro::internal {
namespace {

// One wait of a thread for a stream; its pieces run on the stream's loop.
class BlockedRead final : public transport::Waiter {
 public:
  BlockedRead(MessageStream& stream, google::protobuf::Message& message)
      : stream_(stream), message_(message) {}

  bool Run() {
    stream_.loop().Post([this] { Wake(); });
    parker_.Wait();
    return came_;
  }

  void Wake() override {
    const transport::Read read = stream_.TryRead(message_);
    if (read == transport::Read::kPending) return stream_.WaitReadable(*this);
    came_ = read == transport::Read::kMessage;
    parker_.Signal();
  }

 private:
  MessageStream& stream_;
  google::protobuf::Message& message_;
  Parker parker_;
  bool came_ = false;
};

class BlockedWrite final : public transport::Waiter {
 public:
  BlockedWrite(MessageStream& stream, const google::protobuf::Message& message)
      : stream_(stream), message_(message) {}

  bool Run() {
    stream_.loop().Post([this] { Wake(); });
    parker_.Wait();
    return written_;
  }

  void Wake() override {
    if (!stream_.writable()) return stream_.WaitWritable(*this);
    written_ = stream_.Write(message_);
    parker_.Signal();
  }

 private:
  MessageStream& stream_;
  const google::protobuf::Message& message_;
  Parker parker_;
  bool written_ = false;
};

}  // namespace

bool ReadBlocking(MessageStream& stream, google::protobuf::Message& message) {
  if (EventLoop::Current() != nullptr) return false;
  return BlockedRead(stream, message).Run();
}

bool WriteBlocking(MessageStream& stream, const google::protobuf::Message& message) {
  if (EventLoop::Current() != nullptr) return false;
  return BlockedWrite(stream, message).Run();
}

Status StatusBlocking(MessageStream& stream) {
  if (EventLoop::Current() != nullptr) return BlockingOnLoop();
  Status status;
  Parker parker;
  stream.loop().Post([&] {
    status = stream.status();
    parker.Signal();
  });
  parker.Wait();
  return status;
}

Failure NoResponse() {
  return Fails(
      Error(Code::kInternal, "the call succeeded without a response").set_phase(Phase::kRemote));
}

Failure SeveralResponses() {
  return Fails(Error(Code::kInternal, "more than one response came to a call that has one")
                   .set_phase(Phase::kRemote));
}

ClientHandle& ClientHandle::operator=(ClientHandle&& other) noexcept {
  if (this != &other) {
    Drop();
    stream_ = std::move(other.stream_);
  }
  return *this;
}

void ClientHandle::Cancel() {
  if (stream_->loop().InLoop()) return stream_->Cancel();
  stream_->loop().Post([stream = stream_] { stream->Cancel(); });
}

// What the call refers to may go with its handle: a thread waits until that is let go of.
void ClientHandle::Drop() {
  if (!stream_) return;
  const std::shared_ptr<ClientMessageStream> stream = std::move(stream_);
  if (stream->loop().InLoop()) return stream->Cancel();
  if (EventLoop::Current() != nullptr) {
    return stream->loop().Post([stream] { stream->Cancel(); });
  }
  Parker parker;
  stream->loop().Post([&stream, &parker] {
    stream->Cancel();
    parker.Signal();
  });
  parker.Wait();
}

}  // namespace micro::internal
