#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

#include <google/protobuf/message.h>

#include "micro/context.h"
#include "micro/error.h"
#include "micro/event_loop.h"
#include "micro/runtime.h"
#include "micro/task.h"
#include "micro/transport.h"

// The streams of handlers and clients. Each comes in two faces: one that blocks its thread, and one
// that suspends its coroutine (Async…). One reader and one writer may work at the same time.
//
// Writing waits while too much is unsent, and what is not read is not sent for: a slow reader slows
// the other side down, and costs a bounded amount of memory at both ends.
namespace micro {

namespace internal {

/// One end of a streaming call: what typed streams stand on. Lives on one loop; all members are
/// called on its thread.
class MessageStream {
 public:
  virtual EventLoop& loop() = 0;

  virtual transport::Read TryRead(google::protobuf::Message& message) = 0;
  /// Wakes `waiter` when TryRead would no longer say kPending.
  virtual void WaitReadable(transport::Waiter& waiter) = 0;

  /// False when the call is over: the message goes nowhere.
  virtual bool Write(const google::protobuf::Message& message) = 0;
  /// Whether Write may be called now, or would be in vain.
  virtual bool writable() const = 0;
  virtual void WaitWritable(transport::Waiter& waiter) = 0;

  /// Why there is no more to read, or to write; OK where that is as it should be.
  virtual Status status() const = 0;

 protected:
  ~MessageStream() = default;
};

/// The end of a streaming call that its client holds.
class ClientMessageStream : public MessageStream,
                            public std::enable_shared_from_this<ClientMessageStream> {
 public:
  ClientMessageStream() = default;
  ClientMessageStream(const ClientMessageStream&) = delete;
  ClientMessageStream& operator=(const ClientMessageStream&) = delete;
  virtual ~ClientMessageStream() = default;

  /// Begins with the call: once, before everything else.
  virtual void Start() = 0;
  /// No more messages will be written.
  virtual void CloseSend() = 0;
  /// Ends the call, unless it has ended, and forgets CallOptions::info.
  virtual void Cancel() = 0;
  /// Whether the call is over and its middleware has returned: status() is final.
  virtual bool done() const = 0;
  virtual void WaitDone(transport::Waiter& waiter) = 0;
  virtual const Context& context() const = 0;
};

/// Awaitable: whether a message came.
class ReadAwaiter final : public transport::Waiter {
 public:
  ReadAwaiter(MessageStream& stream, google::protobuf::Message& message)
      : stream_(stream), message_(message) {}
  bool await_ready() {
    read_ = stream_.TryRead(message_);
    return read_ != transport::Read::kPending;
  }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    stream_.WaitReadable(*this);
  }
  bool await_resume() const { return read_ == transport::Read::kMessage; }
  void Wake() override {
    if (!await_ready()) return stream_.WaitReadable(*this);
    waiting_.resume();
  }

 private:
  MessageStream& stream_;
  google::protobuf::Message& message_;
  transport::Read read_ = transport::Read::kPending;
  std::coroutine_handle<> waiting_;
};

/// Awaitable: whether the message was written.
class WriteAwaiter final : public transport::Waiter {
 public:
  WriteAwaiter(MessageStream& stream, const google::protobuf::Message& message)
      : stream_(stream), message_(message) {}
  bool await_ready() const { return stream_.writable(); }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    stream_.WaitWritable(*this);
  }
  bool await_resume() { return stream_.Write(message_); }
  void Wake() override {
    if (!await_ready()) return stream_.WaitWritable(*this);
    waiting_.resume();
  }

 private:
  MessageStream& stream_;
  const google::protobuf::Message& message_;
  std::coroutine_handle<> waiting_;
};

/// Awaitable: the call's final status.
class DoneAwaiter final : public transport::Waiter {
 public:
  explicit DoneAwaiter(ClientMessageStream& stream) : stream_(stream) {}
  bool await_ready() const { return stream_.done(); }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    stream_.WaitDone(*this);
  }
  Status await_resume() const { return stream_.status(); }
  void Wake() override { waiting_.resume(); }

 private:
  ClientMessageStream& stream_;
  std::coroutine_handle<> waiting_;
};

/// The same for threads that may block; false on a loop's own thread.
bool ReadBlocking(MessageStream& stream, google::protobuf::Message& message);
bool WriteBlocking(MessageStream& stream, const google::protobuf::Message& message);
/// Asks a stream for its status from any thread.
Status StatusBlocking(MessageStream& stream);

template <typename In>
Task<std::optional<In>> ReadOne(MessageStream& stream) {
  std::optional<In> message;
  const bool came = co_await ReadAwaiter(stream, message.emplace());
  if (!came) message.reset();
  co_return message;
}

template <typename In>
std::optional<In> ReadOneBlocking(MessageStream& stream) {
  std::optional<In> message;
  if (!ReadBlocking(stream, message.emplace())) message.reset();
  return message;
}

/// Half-closes, drops what was not read, and waits for the end.
template <typename In>
Task<Status> FinishReading(ClientMessageStream& stream) {
  stream.CloseSend();
  In dropped;
  while (co_await ReadAwaiter(stream, dropped)) {
  }
  co_return co_await DoneAwaiter(stream);
}

Failure NoResponse();
Failure SeveralResponses();

/// Half-closes and waits for the one response.
template <typename In>
Task<Result<In>> FinishWriting(ClientMessageStream& stream) {
  stream.CloseSend();
  In response;
  const bool came = co_await ReadAwaiter(stream, response);
  In more;
  if (came && co_await ReadAwaiter(stream, more)) {
    stream.Cancel();
    co_return SeveralResponses();
  }
  Status status = co_await DoneAwaiter(stream);
  if (!status) co_return Failure(std::move(status.error()));
  if (!came) co_return NoResponse();
  co_return std::move(response);
}

/// Holds a client's end of a call; the call is cancelled with it, unless it has ended.
class ClientHandle {
 public:
  ClientHandle(ClientHandle&& other) noexcept = default;
  ClientHandle& operator=(ClientHandle&& other) noexcept;
  ~ClientHandle() { Drop(); }

  /// Ends the call at once; the service's work on it is cancelled. From any thread.
  void Cancel();

  /// What the service sent ahead of its first message; once a message, or the end, has been read.
  const Metadata& metadata() const { return stream_->context().response_metadata(); }
  /// What it sent beside its status; after Finish.
  const Metadata& trailers() const { return stream_->context().trailers(); }

 protected:
  explicit ClientHandle(std::shared_ptr<ClientMessageStream> stream) : stream_(std::move(stream)) {}
  ClientMessageStream& stream() { return *stream_; }

 private:
  void Drop();

  std::shared_ptr<ClientMessageStream> stream_;
};

}  // namespace internal

// --- serving, on a thread ------------------------------------------------------------------------

/// What a caller sends, for a handler that may block.
template <typename In>
class ServerReader {
 public:
  explicit ServerReader(internal::MessageStream& stream) : stream_(&stream) {}
  /// Waits for the next message; none when the caller has half-closed, or is gone: see status().
  std::optional<In> Read() { return internal::ReadOneBlocking<In>(*stream_); }
  /// The same into a message whose memory is used again; false when there is none.
  bool Read(In& message) { return internal::ReadBlocking(*stream_, message); }
  /// Why there is nothing to read any more: OK when the caller has half-closed, otherwise CANCELLED
  /// or DEADLINE_EXCEEDED, or what was wrong with the message. A handler may return it as it is.
  Status status() const { return internal::StatusBlocking(*stream_); }

 private:
  internal::MessageStream* stream_;
};

/// What a handler that may block answers with.
template <typename Out>
class ServerWriter {
 public:
  explicit ServerWriter(internal::MessageStream& stream) : stream_(&stream) {}
  /// Sends a message, and waits first while too much is unsent. False when the caller is gone.
  bool Write(const Out& message) { return internal::WriteBlocking(*stream_, message); }
  /// OK, or why the caller is gone: CANCELLED or DEADLINE_EXCEEDED.
  Status status() const { return internal::StatusBlocking(*stream_); }

 private:
  internal::MessageStream* stream_;
};

/// Both, for a handler that may block.
template <typename In, typename Out>
class ServerStream : public ServerReader<In>, public ServerWriter<Out> {
 public:
  explicit ServerStream(internal::MessageStream& stream)
      : ServerReader<In>(stream), ServerWriter<Out>(stream) {}
  using ServerReader<In>::status;
};

// --- serving, in a coroutine ---------------------------------------------------------------------

/// What a caller sends, for a coroutine. Cheap to copy; valid until the handler has returned.
template <typename In>
class AsyncServerReader {
 public:
  explicit AsyncServerReader(internal::MessageStream& stream) : stream_(&stream) {}
  /// Awaitable: the next message; none when the caller has half-closed, or is gone: see status().
  Task<std::optional<In>> Read() { return internal::ReadOne<In>(*stream_); }
  /// Awaitable: the same into a message whose memory is used again; false when there is none.
  auto Read(In& message) { return internal::ReadAwaiter(*stream_, message); }
  /// As ServerReader has it.
  Status status() const { return stream_->status(); }

 private:
  internal::MessageStream* stream_;
};

/// What a coroutine answers with. Cheap to copy; valid until the handler has returned.
template <typename Out>
class AsyncServerWriter {
 public:
  explicit AsyncServerWriter(internal::MessageStream& stream) : stream_(&stream) {}
  /// Awaitable: sends a message, once not too much is unsent. False when the caller is gone.
  auto Write(const Out& message) { return internal::WriteAwaiter(*stream_, message); }
  /// As ServerWriter has it.
  Status status() const { return stream_->status(); }

 private:
  internal::MessageStream* stream_;
};

/// Both, for a coroutine.
template <typename In, typename Out>
class AsyncServerStream : public AsyncServerReader<In>, public AsyncServerWriter<Out> {
 public:
  explicit AsyncServerStream(internal::MessageStream& stream)
      : AsyncServerReader<In>(stream), AsyncServerWriter<Out>(stream) {}
  using AsyncServerReader<In>::status;
};

// --- calling, from a thread ----------------------------------------------------------------------

/// The answers of a server-streaming call.
///
///     auto ticks = clock.Watch(request);
///     while (auto tick = ticks.Read()) Show(*tick);
///     micro::Status status = ticks.Finish();
template <typename In>
class ClientReader final : public internal::ClientHandle {
 public:
  explicit ClientReader(std::shared_ptr<internal::ClientMessageStream> stream)
      : ClientHandle(std::move(stream)) {}
  /// Waits for the next message; none at the end: Finish says how it came.
  std::optional<In> Read() { return internal::ReadOneBlocking<In>(stream()); }
  /// The same into a message whose memory is used again; false at the end.
  bool Read(In& message) { return internal::ReadBlocking(stream(), message); }
  /// Waits for the end and says how the call went; messages that were not read are dropped.
  Status Finish() {
    return Await(this->stream().loop(), internal::FinishReading<In>(this->stream()));
  }
};

/// The requests of a client-streaming call.
template <typename Out, typename In>
class ClientWriter final : public internal::ClientHandle {
 public:
  explicit ClientWriter(std::shared_ptr<internal::ClientMessageStream> stream)
      : ClientHandle(std::move(stream)) {}
  /// Sends a message, and waits first while too much is unsent. False when the call is over: Finish
  /// says why.
  bool Write(const Out& message) { return internal::WriteBlocking(stream(), message); }
  /// Half-closes, and waits for the response.
  Result<In> Finish() {
    return Await(this->stream().loop(), internal::FinishWriting<In>(this->stream()));
  }
};

/// A call with messages both ways. One thread may read while another writes.
template <typename Out, typename In>
class ClientStream final : public internal::ClientHandle {
 public:
  explicit ClientStream(std::shared_ptr<internal::ClientMessageStream> stream)
      : ClientHandle(std::move(stream)) {}
  /// As ClientReader and ClientWriter have them.
  std::optional<In> Read() { return internal::ReadOneBlocking<In>(stream()); }
  bool Read(In& message) { return internal::ReadBlocking(stream(), message); }
  bool Write(const Out& message) { return internal::WriteBlocking(stream(), message); }
  /// Half-closes: no more will be written.
  void CloseSend() {
    auto& stream = this->stream();
    stream.loop().Post([stream = stream.shared_from_this()] { stream->CloseSend(); });
  }
  /// Half-closes, waits for the end and says how the call went; messages that were not read are
  /// dropped.
  Status Finish() {
    return Await(this->stream().loop(), internal::FinishReading<In>(this->stream()));
  }
};

// --- calling, from a coroutine -------------------------------------------------------------------

/// The answers of a server-streaming call, for a coroutine; used and destroyed on the loop that it
/// was made on.
template <typename In>
class AsyncClientReader final : public internal::ClientHandle {
 public:
  explicit AsyncClientReader(std::shared_ptr<internal::ClientMessageStream> stream)
      : ClientHandle(std::move(stream)) {}
  /// Awaitables, as ClientReader has them.
  Task<std::optional<In>> Read() { return internal::ReadOne<In>(stream()); }
  auto Read(In& message) { return internal::ReadAwaiter(stream(), message); }
  Task<Status> Finish() { return internal::FinishReading<In>(stream()); }
};

/// The requests of a client-streaming call, for a coroutine; used and destroyed on the loop that it
/// was made on.
template <typename Out, typename In>
class AsyncClientWriter final : public internal::ClientHandle {
 public:
  explicit AsyncClientWriter(std::shared_ptr<internal::ClientMessageStream> stream)
      : ClientHandle(std::move(stream)) {}
  /// Awaitables, as ClientWriter has them.
  auto Write(const Out& message) { return internal::WriteAwaiter(stream(), message); }
  Task<Result<In>> Finish() { return internal::FinishWriting<In>(stream()); }
};

/// A call with messages both ways, for coroutines; used and destroyed on the loop that it was made
/// on. One coroutine may read while another writes.
template <typename Out, typename In>
class AsyncClientStream final : public internal::ClientHandle {
 public:
  explicit AsyncClientStream(std::shared_ptr<internal::ClientMessageStream> stream)
      : ClientHandle(std::move(stream)) {}
  /// Awaitables, as ClientStream has them.
  Task<std::optional<In>> Read() { return internal::ReadOne<In>(stream()); }
  auto Read(In& message) { return internal::ReadAwaiter(stream(), message); }
  auto Write(const Out& message) { return internal::WriteAwaiter(stream(), message); }
  Task<Status> Finish() { return internal::FinishReading<In>(stream()); }
  /// Half-closes: no more will be written.
  void CloseSend() { stream().CloseSend(); }
};

}  // namespace micro
