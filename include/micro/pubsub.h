#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <google/protobuf/message.h>

#include "micro/broker.h"
#include "micro/context.h"
#include "micro/error.h"
#include "micro/metadata.h"
#include "micro/runtime.h"
#include "micro/task.h"

namespace micro {

/// How a message is published.
///
///     service.Publish("orders.created", order, {.content_type = "application/json"});
///
/// A plain value that refers to what it does not own: that must outlive the call.
struct PublishOptions {
  /// The encoding, as a content type such as "application/json"; empty: protobuf, and for a
  /// RawMessage what its own metadata says.
  std::string_view content_type = {};
  /// Sent beside the message.
  const Metadata* metadata = nullptr;
  /// The call, or the message, that this one is published for: its trace goes on.
  const Context* parent = nullptr;
};

// GCC 12 copies an aggregate temporary of a co_await expression bit by bit and destroys both.
static_assert(std::is_trivially_destructible_v<PublishOptions> &&
              std::is_trivially_copyable_v<PublishOptions>);

/// What is told of a message that was not handled: its context, the message as it came, and why.
/// Called on an event loop; it must not block.
using MessageErrorHook = std::function<void(const Context&, const RawMessage&, const Error&)>;

/// What becomes of a message for which there is no room.
enum class Overflow : std::uint8_t {
  kDropNewest,  ///< it is dropped
  kDropOldest,  ///< that which has waited longest is dropped for it
};

/// How a topic is subscribed to.
struct SubscribeOptions {
  /// The group that shares the messages: each goes to one of its members, in whichever process.
  /// Empty: every subscription gets every message.
  std::string queue = {};
  /// Messages that are handled at a time. 1: one after the other, in the order of arrival; with
  /// more they overtake each other.
  std::size_t concurrency = 1;
  /// A key of the metadata: messages with the same value of it are handled in the order of arrival
  /// in spite of `concurrency`.
  std::string order_by = {};
  /// Messages, and bytes of them, that may wait to be handled; beyond that `overflow` says what is
  /// dropped. Drops are counted, and logged.
  std::size_t max_waiting = 8192;
  std::size_t max_waiting_bytes = 64U << 20U;
  Overflow overflow = Overflow::kDropNewest;
  /// Where a message is published that could not be handled, with the reason in its metadata:
  /// micro-error, micro-error-code and micro-dead-letter-of, the topic it came on. Empty: nowhere.
  std::string dead_letter = {};
  /// Told of every message that was not handled; without it there is a line in the log.
  MessageErrorHook on_error = {};
  /// Whether the registry shows it as an endpoint of the service.
  bool internal = false;
};

namespace internal {

/// One message on its way to a handler. Used on its loop.
class Delivery {
 public:
  virtual ~Delivery() = default;

  virtual Context& context() = 0;
  /// The message as it came; may be taken from once it is not decoded any more.
  virtual const RawMessage& raw() const = 0;
  /// Reads the body by its content type.
  virtual Status Decode(google::protobuf::Message& message) = 0;
  /// Runs `work` on a worker thread as soon as there is one, and comes back to this loop. Fails
  /// only when the program ends first.
  virtual Task<Status> Offload(std::move_only_function<void()> work) = 0;
};

/// A subscription's handler, whatever its type.
class MessageHandler {
 public:
  virtual ~MessageHandler() = default;
  /// The type of its messages; null: any.
  virtual const google::protobuf::Descriptor* type() const = 0;
  virtual Task<Status> Handle(Delivery& delivery) = 0;
};

inline Status ReadMessage(const Delivery& delivery, RawMessage& message) {
  message = delivery.raw();
  return {};
}
inline Status ReadMessage(Delivery& delivery, google::protobuf::Message& message) {
  return delivery.Decode(message);
}

template <typename T>
const google::protobuf::Descriptor* TypeOf() {
  if constexpr (std::is_same_v<T, RawMessage>) {
    return nullptr;
  } else {
    return T::descriptor();
  }
}

/// A handler that may block: on the worker pool.
template <typename T, typename F>
class BlockingHandler final : public MessageHandler {
 public:
  explicit BlockingHandler(F function) : function_(std::move(function)) {}
  const google::protobuf::Descriptor* type() const override { return TypeOf<T>(); }

  Task<Status> Handle(Delivery& delivery) override {
    T message;
    Status read = ReadMessage(delivery, message);
    if (!read) co_return read;
    Status handled;
    std::exception_ptr thrown;
    Status offloaded = co_await delivery.Offload([&] {
      try {
        handled = function_(delivery.context(), std::as_const(message));
      } catch (...) {
        thrown = std::current_exception();
      }
    });
    if (!offloaded) co_return offloaded;
    if (thrown) std::rethrow_exception(thrown);
    co_return handled;
  }

 private:
  F function_;
};

/// A handler that is a coroutine: on an event loop.
template <typename T, typename F>
class AsyncHandler final : public MessageHandler {
 public:
  explicit AsyncHandler(F function) : function_(std::move(function)) {}
  const google::protobuf::Descriptor* type() const override { return TypeOf<T>(); }

  Task<Status> Handle(Delivery& delivery) override {
    T message;
    Status read = ReadMessage(delivery, message);
    if (!read) co_return read;
    Task<Status> task = function_(delivery.context(), std::move(message));
    co_return co_await task;
  }

 private:
  F function_;
};

template <typename F, typename T>
concept BlockingHandles = std::is_invocable_r_v<Status, F&, Context&, const T&>;
template <typename F, typename T>
concept AsyncHandles = requires(F& function, Context& context, T message) {
  { function(context, std::move(message)) } -> std::same_as<Task<Status>>;
};

template <typename T, typename F>
  requires BlockingHandles<F, T> || AsyncHandles<F, T>
std::unique_ptr<MessageHandler> MakeMessageHandler(F function) {
  if constexpr (AsyncHandles<F, T>) {
    return std::make_unique<AsyncHandler<T, F>>(std::move(function));
  } else {
    return std::make_unique<BlockingHandler<T, F>>(std::move(function));
  }
}

}  // namespace internal
}  // namespace micro
