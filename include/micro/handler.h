#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <google/protobuf/message.h>

#include "micro/context.h"
#include "micro/error.h"
#include "micro/runtime.h"
#include "micro/task.h"

namespace micro {

enum class MethodKind : std::uint8_t { kUnary, kClientStream, kServerStream, kBidiStream };

/// What is known of a method from its .proto file. Generated code holds these in constant tables.
struct MethodInfo {
  std::string_view path;  ///< "/helloworld.Greeter/Hello"
  MethodKind kind = MethodKind::kUnary;
  /// Whether repeating it does no harm: option idempotency_level, NO_SIDE_EFFECTS or IDEMPOTENT.
  bool idempotent = false;
  /// Whether calling it changes nothing: option idempotency_level, NO_SIDE_EFFECTS. Such a method
  /// can be called by an HTTP GET.
  bool no_side_effects = false;
  const google::protobuf::Descriptor* (*request)() = nullptr;
  const google::protobuf::Descriptor* (*response)() = nullptr;
};

/// One call, as the code around a handler sees it. Used on the call's loop.
class ServerCall {
 public:
  virtual ~ServerCall() = default;

  virtual Context& context() = 0;
  virtual Runtime& runtime() = 0;

  /// A unary call's one request, decoded.
  virtual Status ReadRequest(google::protobuf::Message& request) = 0;
  /// A unary call's one response.
  virtual Status WriteResponse(const google::protobuf::Message& response) = 0;
};

class Handler;

/// A method and the function that serves it.
struct Method {
  MethodInfo info;
  Task<Status> (*serve)(Handler&, ServerCall&) = nullptr;
};

/// A proto service as a program implements it. Generated handler bases derive from it; users derive
/// from those.
class Handler {
 public:
  virtual ~Handler() = default;
  /// The proto service's full name, "helloworld.Greeter".
  virtual std::string_view name() const = 0;
  virtual std::span<const Method> methods() const = 0;
};

namespace internal {

template <typename M>
struct BlockingMethod;
template <typename H, typename Req, typename Res>
struct BlockingMethod<Result<Res> (H::*)(Context&, const Req&)> {
  using HandlerType = H;
  using Request = Req;
  using Response = Res;
};

template <typename M>
struct AsyncMethod;
template <typename H, typename Req, typename Res>
struct AsyncMethod<Task<Result<Res>> (H::*)(Context&, Req)> {
  using HandlerType = H;
  using Request = Req;
  using Response = Res;
};

}  // namespace internal

/// Serves a unary method whose handler may block: on the worker pool.
template <auto method>
Task<Status> ServeBlocking(Handler& handler, ServerCall& call) {
  using M = internal::BlockingMethod<decltype(method)>;
  typename M::Request request;
  if (Status read = call.ReadRequest(request); !read) co_return read;
  std::optional<Result<typename M::Response>> response;
  std::exception_ptr thrown;
  Status offloaded = co_await Offload(call.runtime(), [&] {
    try {
      response.emplace(
          (static_cast<typename M::HandlerType&>(handler).*method)(call.context(), request));
    } catch (...) {
      thrown = std::current_exception();
    }
  });
  if (!offloaded) co_return offloaded;
  if (thrown) std::rethrow_exception(thrown);
  if (!*response) co_return Failure(std::move(response->error()));
  co_return call.WriteResponse(**response);
}

/// Serves a unary method whose handler is a coroutine: on the call's loop.
template <auto method>
Task<Status> ServeAsync(Handler& handler, ServerCall& call) {
  using M = internal::AsyncMethod<decltype(method)>;
  typename M::Request request;
  if (Status read = call.ReadRequest(request); !read) co_return read;
  auto task =
      (static_cast<typename M::HandlerType&>(handler).*method)(call.context(), std::move(request));
  Result<typename M::Response>& response = co_await task.Borrow();
  if (!response) co_return Failure(std::move(response.error()));
  co_return call.WriteResponse(*response);
}

}  // namespace micro
