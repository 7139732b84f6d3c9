#include "micro/client.h"

#include <optional>
#include <utility>

#include "base/chain.h"
#include "client/call.h"
#include "client/parent_watch.h"
#include "client/parts.h"
#include "client/stream_call.h"

namespace micro {
namespace {

// Runs a task on `loop` and comes back to the loop it is awaited on.
class Elsewhere {
 public:
  Elsewhere(EventLoop& loop, Task<Status> task) : loop_(loop), task_(std::move(task)) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    EventLoop& home = *EventLoop::Current();
    loop_.Post([this, &home, waiting] { Run(*this, home, waiting); });
  }
  Status await_resume() { return std::move(status_); }

 private:
  static internal::Detached Run(Elsewhere& self, EventLoop& home, std::coroutine_handle<> waiting) {
    self.status_ = co_await self.task_;
    home.Post([waiting] { waiting.resume(); });
  }

  EventLoop& loop_;
  Task<Status> task_;
  Status status_;
};

// A thread's blocking calls stay on one loop, and so on one set of connections.
std::size_t ThreadNumber() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

}  // namespace

class Client::Pipeline {
 public:
  explicit Pipeline(ClientParts made) : parts(std::move(made)) {
    parts.counters = std::make_shared<client::Counters>(parts.observer->metrics());
    const std::size_t count = parts.runtime->loops();
    const double retries = client::RetryBudget::kPerSecond / static_cast<double>(count);
    for (std::size_t i = 0; i < count; ++i) {
      loops.emplace(&parts.runtime->loop(i),
                    std::make_unique<client::PerLoop>(parts.transport, parts.pool, retries));
    }
    if (parts.prober == nullptr) return;
    for (const auto& [loop, per_loop] : loops) parts.prober->Add(*loop, per_loop->probes);
  }

  Task<Status> Call(const std::string& service, const MethodInfo& method,
                    const google::protobuf::Message& request, google::protobuf::Message& response,
                    const CallOptions& options) {
    EventLoop* const current = EventLoop::Current();
    if (current == nullptr) co_return FailedPrecondition("a call was started outside of all loops");
    const auto loop = loops.find(current);
    // The loop of another service in this program: its connections are not there.
    if (loop == loops.end()) {
      Elsewhere elsewhere(parts.runtime->NextLoop(),
                          Call(service, method, request, response, options));
      co_return co_await elsewhere;
    }
    client::UnaryCall call(parts, *loop->second, service, method, request, response, options);
    std::optional<client::ParentWatch> watch;
    if (options.parent != nullptr) watch.emplace(*current, call.interrupter(), *options.parent);
    Chain chain;
    call.Begin();
    Status status = co_await chain.Run(middleware, call, call.context());
    call.End(status ? Code::kOk : status.error().code());
    if (options.info != nullptr) call.Report(*options.info);
    co_return status;
  }

  ClientParts parts;
  std::vector<Middleware> middleware;
  std::unordered_map<EventLoop*, std::unique_ptr<client::PerLoop>> loops;
};

Client::Client(ClientParts parts) : pipeline_(std::make_unique<Pipeline>(std::move(parts))) {}

// Connections are closed on their loops, which ends the calls on them.
Client::~Client() {
  for (auto& [loop, per_loop] : pipeline_->loops) {
    internal::Parker closed;
    loop->Post([closing = per_loop.get(), &closed] {
      closing->Close();
      closed.Signal();
    });
    closed.Wait();
  }
}

Task<Status> Client::CallAsync(std::string service, const MethodInfo& method,
                               const google::protobuf::Message& request,
                               google::protobuf::Message& response, CallOptions options) {
  if (!pipeline_->parts.broken) co_return pipeline_->parts.broken;
  try {
    co_return co_await pipeline_->Call(service, method, request, response, options);
  } catch (...) {
    co_return Fails(internal::FromException(std::current_exception()));
  }
}

Status Client::Call(const std::string& service, const MethodInfo& method,
                    const google::protobuf::Message& request, google::protobuf::Message& response,
                    CallOptions options) {
  if (!pipeline_->parts.broken) return pipeline_->parts.broken;
  return Await(LoopForThread(), CallAsync(service, method, request, response, options));
}

EventLoop& Client::LoopForThread() {
  EventLoop* const current = EventLoop::Current();
  if (current != nullptr && pipeline_->loops.contains(current)) return *current;
  Runtime& runtime = *pipeline_->parts.runtime;
  return runtime.loop(ThreadNumber() % runtime.loops());
}

std::shared_ptr<internal::ClientMessageStream> Client::NewStream(
    EventLoop& loop, const std::string& service, const MethodInfo& method,
    const google::protobuf::Message* request, CallOptions options) {
  auto stream =
      std::make_shared<client::StreamCall>(loop, pipeline_->parts, *pipeline_->loops.at(&loop),
                                           pipeline_->middleware, service, method, options);
  if (!pipeline_->parts.broken) {
    stream->Refuse(pipeline_->parts.broken);
  } else if (EventLoop::Current() != nullptr && !loop.InLoop()) {
    stream->Refuse(FailedPrecondition("a stream belongs to a loop of its own service's runtime"));
  } else if (request != nullptr) {
    stream->SetRequest(*request);
  }
  return stream;
}

void Client::Use(Middleware middleware) { pipeline_->middleware.push_back(std::move(middleware)); }
Runtime& Client::runtime() { return *pipeline_->parts.runtime; }

}  // namespace micro
