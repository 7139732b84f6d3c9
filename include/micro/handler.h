#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <google/protobuf/message.h>

#include "micro/context.h"
#include "micro/error.h"
#include "micro/runtime.h"
#include "micro/stream.h"
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

  /// The one request of a call that has one, decoded.
  virtual Status ReadRequest(google::protobuf::Message& request) = 0;
  /// The one response of a call that has one.
  virtual Status WriteResponse(const google::protobuf::Message& response) = 0;
  /// The messages of a call that streams.
  virtual internal::MessageStream& stream() = 0;
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

// What a handler's method is, by its type: how its arguments are made from a call, and what of its
// result is sent.
template <typename M>
struct MethodOf;

template <typename H, typename Req, typename Res>
struct MethodOf<Result<Res> (H::*)(Context&, const Req&)> {
  using HandlerType = H;
  using Request = Req;
};
template <typename H, typename Req, typename Res>
struct MethodOf<Result<Res> (H::*)(Context&, ServerReader<Req>&)> {
  using HandlerType = H;
  using Stream = ServerReader<Req>;
};
template <typename H, typename Req, typename Res>
struct MethodOf<Status (H::*)(Context&, const Req&, ServerWriter<Res>&)> {
  using HandlerType = H;
  using Request = Req;
  using Stream = ServerWriter<Res>;
};
template <typename H, typename Req, typename Res>
struct MethodOf<Status (H::*)(Context&, ServerStream<Req, Res>&)> {
  using HandlerType = H;
  using Stream = ServerStream<Req, Res>;
};

template <typename H, typename Req, typename Res>
struct MethodOf<Task<Result<Res>> (H::*)(Context&, Req)> {
  using HandlerType = H;
  using Request = Req;
};
template <typename H, typename Req, typename Res>
struct MethodOf<Task<Result<Res>> (H::*)(Context&, AsyncServerReader<Req>)> {
  using HandlerType = H;
  using Stream = AsyncServerReader<Req>;
};
template <typename H, typename Req, typename Res>
struct MethodOf<Task<Status> (H::*)(Context&, Req, AsyncServerWriter<Res>)> {
  using HandlerType = H;
  using Request = Req;
  using Stream = AsyncServerWriter<Res>;
};
template <typename H, typename Req, typename Res>
struct MethodOf<Task<Status> (H::*)(Context&, AsyncServerStream<Req, Res>)> {
  using HandlerType = H;
  using Stream = AsyncServerStream<Req, Res>;
};

inline Status SendResult(ServerCall& /*call*/, Status& result) { return std::move(result); }

template <typename Response>
Status SendResult(ServerCall& call, Result<Response>& result) {
  if (!result) return Failure(std::move(result.error()));
  return call.WriteResponse(*result);
}

/// Calls a blocking handler's method with what it takes of a request and a stream.
template <auto method, typename Request>
auto CallBlocking(Handler& handler, ServerCall& call, const Request& request) {
  using M = MethodOf<decltype(method)>;
  auto& target = static_cast<typename M::HandlerType&>(handler);
  if constexpr (!requires { typename M::Stream; }) {
    return (target.*method)(call.context(), request);
  } else {
    typename M::Stream stream(call.stream());
    if constexpr (requires { typename M::Request; }) {
      return (target.*method)(call.context(), request, stream);
    } else {
      return (target.*method)(call.context(), stream);
    }
  }
}

template <auto method, typename Request>
auto CallAsync(Handler& handler, ServerCall& call, Request& request) {
  using M = MethodOf<decltype(method)>;
  auto& target = static_cast<typename M::HandlerType&>(handler);
  if constexpr (!requires { typename M::Stream; }) {
    return (target.*method)(call.context(), std::move(request));
  } else if constexpr (requires { typename M::Request; }) {
    return (target.*method)(call.context(), std::move(request), typename M::Stream(call.stream()));
  } else {
    return (target.*method)(call.context(), typename M::Stream(call.stream()));
  }
}

struct NoRequest {};

template <typename M>
struct RequestOf {
  using type = NoRequest;
};
template <typename M>
  requires requires { typename M::Request; }
struct RequestOf<M> {
  using type = typename M::Request;
};

template <typename Request>
Status ReadRequest(ServerCall& call, Request& request) {
  if constexpr (std::is_same_v<Request, NoRequest>)
    return {};
  else
    return call.ReadRequest(request);
}

}  // namespace internal

/// Serves a method whose handler may block: on the worker pool.
template <auto method>
Task<Status> ServeBlocking(Handler& handler, ServerCall& call) {
  using M = internal::MethodOf<decltype(method)>;
  typename internal::RequestOf<M>::type request;
  if (Status read = internal::ReadRequest(call, request); !read) co_return read;
  std::optional<decltype(internal::CallBlocking<method>(handler, call, request))> result;
  std::exception_ptr thrown;
  Status offloaded = co_await Offload(call.runtime(), [&] {
    try {
      result.emplace(internal::CallBlocking<method>(handler, call, request));
    } catch (...) {
      thrown = std::current_exception();
    }
  });
  if (!offloaded) co_return offloaded;
  if (thrown) std::rethrow_exception(thrown);
  co_return internal::SendResult(call, *result);
}

/// Serves a method whose handler is a coroutine: on the call's loop.
template <auto method>
Task<Status> ServeAsync(Handler& handler, ServerCall& call) {
  using M = internal::MethodOf<decltype(method)>;
  typename internal::RequestOf<M>::type request;
  if (Status read = internal::ReadRequest(call, request); !read) co_return read;
  auto task = internal::CallAsync<method>(handler, call, request);
  auto& result = co_await task.Borrow();
  co_return internal::SendResult(call, result);
}

}  // namespace micro
