#include "micro/server.h"

#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "server/call.h"
#include "server/method_table.h"
#include "server/parts.h"

namespace micro {
namespace {

// After the grace, what a cancelled handler has to return in.
constexpr std::chrono::milliseconds kLastWait{900};
// What callers have to hear of the leave, and to send what they began before.
constexpr std::chrono::milliseconds kFarewell{250};
constexpr std::chrono::milliseconds kLook{5};
// When those may try again whom a full server sends away.
constexpr std::chrono::milliseconds kComeBack{100};

}  // namespace

class Server::Pipeline final : public transport::Acceptor, public server::Host {
 public:
  explicit Pipeline(ServerParts parts)
      : parts_(std::move(parts)),
        most_(parts_.max_in_flight > 0 ? parts_.max_in_flight
                                       : std::numeric_limits<std::size_t>::max()) {}

  // transport::Acceptor
  void Accept(transport::ServerStreamPtr stream) override {
    const std::int64_t before = under_way_.fetch_add(1, std::memory_order_relaxed);
    if (std::cmp_less(before, most_)) return server::Call::Begin(*this, std::move(stream));
    Error error(Code::kResourceExhausted, parts_.name + " serves " + std::to_string(most_) +
                                              " calls already (--max_in_flight)");
    error.set_id(parts_.name).set_retry_after(kComeBack);
    stream->Finish(Fails(std::move(error)), {});
    stream.reset();
    OnDone();
  }

  void OnRefused(const std::string& where, const std::string& why) override {
    Say("refused " + where + ": " + why);
  }

  // server::Host
  Runtime& runtime() override { return *parts_.runtime; }
  const std::string& name() const override { return parts_.name; }
  const server::MethodTable& methods() const override { return methods_; }
  const Codecs& codecs() const override { return parts_.codecs; }
  const std::vector<Middleware>& middleware() const override { return middleware_; }

  // While Stop waits, the count falls under the lock only: whoever sees zero may destroy this.
  void OnDone() override {
    if (!stopping_.load(std::memory_order_acquire)) {
      under_way_.fetch_sub(1, std::memory_order_acq_rel);
      return;
    }
    const std::lock_guard lock(mutex_);
    if (under_way_.fetch_sub(1, std::memory_order_acq_rel) == 1) idle_.notify_all();
  }

  Status Start() {
    auto listener = parts_.transport->Listen(parts_.address, *this);
    if (!listener) return Failure(listener.error());
    listener_ = *std::move(listener);
    return Ok();
  }

  bool Stop(Duration grace) {
    if (!listener_) return under_way_.load(std::memory_order_acquire) == 0;
    stopping_.store(true, std::memory_order_release);
    listener_->Drain();
    const TimePoint until = std::chrono::steady_clock::now() + grace;
    WaitQuiet(std::min<Duration>(grace, kFarewell));
    if (!WaitIdle(until - std::chrono::steady_clock::now()))
      Say("the grace is over: calls still under way are cancelled");
    listener_.reset();  // closes the connections, which cancels what runs on them
    if (WaitIdle(kLastWait)) return true;
    Say("handlers still run and did not heed their cancellation");
    return false;
  }

  server::MethodTable methods_;
  std::vector<Middleware> middleware_;
  std::unique_ptr<transport::Listener> listener_;

 private:
  // A connection ends by itself once its caller has heard and nothing is open on it.
  void WaitQuiet(Duration most) const {
    const TimePoint until = std::chrono::steady_clock::now() + most;
    while (!listener_->quiet() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(kLook);
    }
  }

  bool WaitIdle(Duration most) {
    const TimePoint until = std::chrono::steady_clock::now() + most;
    std::unique_lock lock(mutex_);
    while (under_way_.load(std::memory_order_acquire) > 0) {
      if (std::chrono::steady_clock::now() >= until) return false;
      // Looks again now and then: a call may have ended just before `stopping_` was seen.
      idle_.wait_for(lock, std::chrono::milliseconds(20));
    }
    return true;
  }

  void Say(const std::string& line) { parts_.runtime->logger().Write(LogLevel::kWarn, line); }

  ServerParts parts_;
  const std::size_t most_;  // calls under way
  std::atomic<std::int64_t> under_way_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable idle_;
};

Server::Server(ServerParts parts) : pipeline_(std::make_unique<Pipeline>(std::move(parts))) {}

Server::~Server() {
  if (Stop(Duration::zero())) return;
  // Handlers that heed no cancellation will still come back to it.
  (void)pipeline_.release();
}

Status Server::Handle(std::shared_ptr<Handler> handler) {
  return pipeline_->methods_.Add(std::move(handler));
}

void Server::Use(Middleware middleware) { pipeline_->middleware_.push_back(std::move(middleware)); }

Status Server::Start() { return pipeline_->Start(); }
bool Server::Stop(Duration grace) { return pipeline_->Stop(grace); }

std::string Server::address() const {
  return pipeline_->listener_ ? pipeline_->listener_->address() : "";
}

std::vector<Endpoint> Server::endpoints() const { return pipeline_->methods_.Endpoints(); }

}  // namespace micro
