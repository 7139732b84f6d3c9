#include "micro/server.h"

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "base/overload.h"
#include "observe/page.h"
#include "server/call.h"
#include "server/method_table.h"
#include "server/parts.h"
#include "server/standard/debug.h"
#include "server/standard/health.h"
#include "server/standard/load.h"
#include "server/standard/reflection.h"

namespace micro {
namespace {

// After the grace, what a cancelled handler has to return in.
constexpr std::chrono::milliseconds kLastWait{900};
// What callers have to hear of the leave, and to send what they began before.
constexpr std::chrono::milliseconds kFarewell{250};
constexpr std::chrono::milliseconds kLook{5};
// Questions for the load that are answered at a time, whatever else is under way.
constexpr std::int64_t kMostProbes = 256;

}  // namespace

class Server::Pipeline final : public transport::Acceptor, public server::Host {
 public:
  explicit Pipeline(ServerParts parts)
      : parts_(std::move(parts)),
        most_(parts_.max_in_flight > 0 ? parts_.max_in_flight
                                       : std::numeric_limits<std::size_t>::max()) {
    health_->Set("", true);
    parts_.observer->metrics().AddText([this](std::string& page) { WriteMetrics(page); });
  }

  // transport::Acceptor
  void Accept(transport::ServerStreamPtr stream) override {
    const bool probe = parts_.load && stream->head().path == server::kLoadPath;
    if (Enter(probe)) return server::Call::Begin(*this, std::move(stream), probe);
    crowded_out_.Add();
    Error error = Overloaded(parts_.name + " serves " + std::to_string(most_) +
                             " calls already (--max_in_flight)");
    error.set_id(parts_.name);
    stream->Finish(Fails(std::move(error)), {});
    stream.reset();
    OnDone(probe);
  }

  void OnRefused(const std::string& where, const std::string& why) override {
    refused_.Add();
    Say("refused " + where + ": " + why);
  }

  const MethodInfo* FindMethod(std::string_view path) override {
    const auto served = methods_.Find(path);
    return served ? &(*served)->method->info : nullptr;
  }

  std::optional<transport::Page> Get(std::string_view path) override {
    if (path == "/healthz") return HealthPage();
    if (path == "/metrics" && parts_.metrics_page) return MetricsPage();
    if (parts_.metrics_page && parts_.discovery_page) return DiscoveryPage(path);
    return std::nullopt;
  }

  // server::Host
  Runtime& runtime() override { return *parts_.runtime; }
  const std::string& name() const override { return parts_.name; }
  const server::MethodTable& methods() const override { return methods_; }
  const Codecs& codecs() const override { return parts_.codecs; }
  observe::Observer& observer() override { return *parts_.observer; }
  const std::vector<Middleware>& middleware() const override { return middleware_; }

  // While Stop waits, the count falls under the lock only: whoever sees zero may destroy this.
  void OnDone(bool probe) override {
    if (probe) probes_.fetch_sub(1, std::memory_order_relaxed);
    if (!stopping_.load(std::memory_order_acquire)) {
      under_way_.fetch_sub(1, std::memory_order_acq_rel);
      return;
    }
    const std::lock_guard lock(mutex_);
    if (under_way_.fetch_sub(1, std::memory_order_acq_rel) == 1) idle_.notify_all();
  }

  Status Handle(std::shared_ptr<Handler> handler) {
    health_->Set(handler->name(), true);
    return methods_.Add(std::move(handler));
  }

  Status Start() {
    AddStandard();
    health_->Open();
    auto listener = parts_.transport->Listen(parts_.address, *this);
    if (!listener) return Failure(listener.error());
    listener_ = *std::move(listener);
    SetListening(listener_.get());
    return Ok();
  }

  bool Stop(Duration grace) {
    if (!listener_) return under_way_.load(std::memory_order_acquire) == 0;
    stopping_.store(true, std::memory_order_release);
    health_->Close();
    listener_->Drain();
    const TimePoint until = std::chrono::steady_clock::now() + grace;
    WaitQuiet(std::min<Duration>(grace, kFarewell));
    if (!WaitIdle(until - std::chrono::steady_clock::now()))
      Say("the grace is over: calls still under way are cancelled");
    SetListening(nullptr);
    listener_.reset();  // closes the connections, which cancels what runs on them
    if (WaitIdle(kLastWait)) return true;
    Say("handlers still run and did not heed their cancellation");
    return false;
  }

  server::MethodTable methods_;
  std::vector<Middleware> middleware_;
  std::unique_ptr<transport::Listener> listener_;
  const std::shared_ptr<server::HealthBoard> health_ = std::make_shared<server::HealthBoard>();

 private:
  // Counts a call in, and says whether there is room for it.
  bool Enter(bool probe) {
    const std::int64_t before = under_way_.fetch_add(1, std::memory_order_relaxed);
    if (probe) return probes_.fetch_add(1, std::memory_order_relaxed) < kMostProbes;
    return std::cmp_less(before - probes_.load(std::memory_order_relaxed), most_);
  }

  std::uint32_t in_flight() const {
    const std::int64_t calls =
        under_way_.load(std::memory_order_relaxed) - probes_.load(std::memory_order_relaxed);
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(calls, 0, std::numeric_limits<std::uint32_t>::max()));
  }

  void AddStandard() {
    methods_.AddStandard(server::MakeHealthHandler(health_), false);
    if (parts_.load) {
      methods_.AddStandard(server::MakeLoadHandler([this] { return in_flight(); }), false);
    }
    if (parts_.debug) methods_.AddStandard(DebugHandler(), true);
    if (parts_.reflection) AddReflection();
    methods_.NameSpans(parts_.name, *parts_.observer);
  }

  std::shared_ptr<Handler> DebugHandler() {
    return server::MakeDebugHandler(
        {.health = health_, .observer = parts_.observer, .calls = [this] {
           observe::CallTotals sum;
           for (const auto& [labels, totals] : methods_.Totals()) sum += totals;
           return sum;
         }});
  }

  void AddReflection() {
    for (const auto version :
         {server::ReflectionVersion::kV1, server::ReflectionVersion::kV1Alpha}) {
      auto names = [this] { return methods_.Names(); };
      methods_.AddStandard(server::MakeReflectionHandler(version, std::move(names)), false);
    }
  }

  transport::Page HealthPage() const {
    constexpr char kText[] = "text/plain; charset=utf-8";
    if (health_->Get("").value_or(false)) return {200, kText, "ok\n"};
    return {503, kText, health_->open() ? "not serving\n" : "draining\n"};
  }

  transport::Page MetricsPage() const {
    return {.status = 200,
            .content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = parts_.observer->metrics().Text()};
  }

  std::optional<transport::Page> DiscoveryPage(std::string_view path) const {
    if (path == "/debug/discovery") {
      return transport::Page{200, "text/plain; charset=utf-8", parts_.discovery_page(false)};
    }
    if (path == "/debug/discovery.json") {
      return transport::Page{200, "application/json", parts_.discovery_page(true)};
    }
    return std::nullopt;
  }

  void WriteMetrics(std::string& text) const {
    observe::WriteCalls(text, "server", methods_.Totals());
    observe::Page page(text);
    page.Family("micro_connections", "gauge", "Connections of callers");
    page.Sample("", "", std::uint64_t{connections()});
    page.Family("micro_server_refused_total", "counter", "What was malformed, and refused");
    page.Sample("", "", refused_.value());
    page.Family("micro_server_rejected_total", "counter", "Calls refused for want of room");
    page.Sample("", "reason=\"in_flight\"", crowded_out_.value());
    page.Sample("", "reason=\"worker_queue\"", parts_.runtime->refused());
    page.Family("micro_worker_threads", "gauge", "Threads for blocking handlers");
    page.Sample("", "", std::uint64_t{parts_.runtime->workers()});
    page.Family("micro_worker_queue_depth", "gauge", "Calls that wait for a thread");
    page.Sample("", "", std::uint64_t{parts_.runtime->queued()});
  }

  std::size_t connections() const {
    const std::lock_guard lock(listening_mutex_);
    return listening_ == nullptr ? 0 : listening_->connections();
  }

  void SetListening(transport::Listener* listener) {
    const std::lock_guard lock(listening_mutex_);
    listening_ = listener;
  }

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
  Counter refused_;
  Counter crowded_out_;
  mutable std::mutex listening_mutex_;
  transport::Listener* listening_ = nullptr;  // for whoever counts its connections
  std::atomic<std::int64_t> under_way_{0};
  std::atomic<std::int64_t> probes_{0};  // of those under way
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
  return pipeline_->Handle(std::move(handler));
}

void Server::Use(Middleware middleware) { pipeline_->middleware_.push_back(std::move(middleware)); }

Status Server::Start() { return pipeline_->Start(); }
void Server::Leave() { pipeline_->health_->Leave(); }
bool Server::Stop(Duration grace) { return pipeline_->Stop(grace); }

Health& Server::health() { return *pipeline_->health_; }

std::string Server::address() const {
  return pipeline_->listener_ ? pipeline_->listener_->address() : "";
}

std::vector<Endpoint> Server::endpoints() const { return pipeline_->methods_.Endpoints(); }

}  // namespace micro
