#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <google/protobuf/message.h>

#include "micro/compression.h"
#include "micro/context.h"
#include "micro/duration.h"
#include "micro/error.h"
#include "micro/handler.h"
#include "micro/metadata.h"
#include "micro/middleware.h"
#include "micro/node_filter.h"
#include "micro/registry.h"
#include "micro/runtime.h"
#include "micro/selector.h"
#include "micro/stream.h"
#include "micro/task.h"

namespace micro {

/// How a call went, beside its response.
struct CallInfo {
  Node node;         ///< who answered; empty if nobody did
  int attempts = 0;  ///< nodes that were tried
  Metadata response_metadata;
  Metadata trailers;
};

/// Whether a call may be made again on another node, after `attempts` that ended with `error`.
using RetryPredicate = bool (*)(const Error& error, int attempts);

/// What go-micro v2's clients go by, idempotent or not: an error with code 408 or 500, and one that
/// carries no code of go-micro's, which is a 500 to them.
bool RetryLikeGoMicro(const Error& error, int attempts);

/// How a call is made.
///
///     auto response = greeter.Hello(request, {.timeout = 200ms});
///
/// A plain value that refers to what it does not own: that must outlive the call.
struct CallOptions {
  /// The whole call's time, retries included; zero: the client's own (`--client_request_timeout`),
  /// and for a call that streams none.
  Duration timeout = {};
  /// Sent beside the request.
  const Metadata* metadata = nullptr;
  /// The encoding, as a content type such as "application/json"; empty: protobuf.
  std::string_view content_type = {};
  /// How what is sent is compressed; answers are read either way.
  Compression compression = Compression::kNone;
  /// How often a call that may have reached a node is sent again, where that is safe; not given:
  /// the client's own (`--client_retries`). 0: one attempt, on one node.
  std::optional<std::uint32_t> retries = {};
  /// Whether repeating the call does no harm, though its .proto file does not say so.
  bool idempotent = false;
  /// Decides whether a call that may have been carried out is sent again, in place of what is known
  /// of the method; null: only what does no harm is. Asked on an event loop: it must not block.
  RetryPredicate retry_if = nullptr;
  /// A second node is asked as well when the first has not answered by then; the first answer
  /// counts, and the other call is cancelled. For unary methods that may be repeated, as a .proto
  /// file or `idempotent` says: INVALID_ARGUMENT with others. Zero: the client's own
  /// (`--client_hedge_after`), which leaves those others alone; less than zero: never.
  Duration hedge_after = {};
  /// What the call is about: with `--selector=consistent_hash`, calls with the same key, a text or
  /// a whole number, go to the same node as long as it is there.
  RoutingKey key = {};
  /// The nodes that may be called; null: all.
  const NodeFilter* filter = nullptr;
  /// The call that this one is part of: its deadline and cancellation end this call too.
  const Context* parent = nullptr;
  /// "host:port" of the nodes to use, instead of asking the registry.
  std::span<const std::string> addresses = {};
  /// Filled when the call has ended.
  CallInfo* info = nullptr;
};

// GCC 12 copies an aggregate temporary of a co_await expression bit by bit and destroys both; only
// where there is nothing to destroy may users write `co_await greeter.HelloAsync(request, {…})`.
static_assert(std::is_trivially_destructible_v<CallOptions> &&
              std::is_trivially_copyable_v<CallOptions>);

/// What a Client is made of; a Service makes its own.
struct ClientParts;

/// Calls services by name. Thread-safe; generated clients stand on it.
class Client {
 public:
  explicit Client(ClientParts parts);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// Calls `method` of `service`, a name in discovery. Awaited on an event loop; `request` and
  /// `response` must outlive the task. The error's phase says where it ended: resolve (no nodes),
  /// connect, send, or remote, when it is the service's own answer.
  Task<Status> CallAsync(std::string service, const MethodInfo& method,
                         const google::protobuf::Message& request,
                         google::protobuf::Message& response, CallOptions options);

  /// The same for a thread that may block; FAILED_PRECONDITION on an event loop's thread.
  Status Call(const std::string& service, const MethodInfo& method,
              const google::protobuf::Message& request, google::protobuf::Message& response,
              CallOptions options);

  /// A call of a method that streams, not begun yet: Start it on `loop`, one of the runtime's.
  /// `request` is what a method with one request gets; null for the others. What is wrong is told
  /// by its end.
  std::shared_ptr<internal::ClientMessageStream> NewStream(EventLoop& loop,
                                                           const std::string& service,
                                                           const MethodInfo& method,
                                                           const google::protobuf::Message* request,
                                                           CallOptions options);
  /// The loop for this thread's calls: itself, or for a thread that may block always the same one.
  EventLoop& LoopForThread();

  /// Puts `middleware` around every call, inside what is there already. Before the first call only.
  void Use(Middleware middleware);

  Runtime& runtime();

 private:
  class Pipeline;
  std::unique_ptr<Pipeline> pipeline_;
};

/// A unary call as generated clients make it, blocking.
template <typename Response, typename Request>
Result<Response> CallUnary(Client& client, const std::string& service, const MethodInfo& method,
                           const Request& request, CallOptions options) {
  Response response;
  Status status = client.Call(service, method, request, response, options);
  if (!status) return Failure(std::move(status.error()));
  return response;
}

/// A unary call as generated clients make it, as a coroutine.
template <typename Response, typename Request>
Task<Result<Response>> CallUnaryAsync(Client& client, std::string service, const MethodInfo& method,
                                      Request request, CallOptions options) {
  Response response;
  Status status = co_await client.CallAsync(std::move(service), method, request, response, options);
  if (!status) co_return Failure(std::move(status.error()));
  co_return std::move(response);
}

/// A streaming call as generated clients make it; `Handle` is one of micro/stream.h.
template <typename Handle>
Handle CallStream(Client& client, const std::string& service, const MethodInfo& method,
                  const google::protobuf::Message* request, CallOptions options) {
  EventLoop& loop = client.LoopForThread();
  auto stream = client.NewStream(loop, service, method, request, options);
  if (loop.InLoop()) {
    stream->Start();
  } else {
    loop.Post([stream] { stream->Start(); });
  }
  return Handle(std::move(stream));
}

}  // namespace micro
