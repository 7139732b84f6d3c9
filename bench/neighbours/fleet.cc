#include "neighbours/fleet.h"

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include <micro/micro.h>

#include "bench.micro.h"

namespace bench::neighbours {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
using namespace std::chrono_literals;

class Epoch {
 public:
  void Begin(Clock::time_point at) { at_ = at; }
  double now() const { return Seconds(Clock::now() - at_.load()).count(); }

 private:
  std::atomic<Clock::time_point> at_{Clock::time_point()};
};

micro::Task<void> Until(const Epoch* epoch, double time) {
  const double left = time - epoch->now();
  if (left > 0) co_await micro::Sleep(std::chrono::duration_cast<micro::Duration>(Seconds(left)));
}

// Sleeps instead of working. There is one loop, and so one call at a time.
class Server final : public EchoServiceAsyncHandler {
 public:
  Server(const Epoch& epoch, Worker worker) : epoch_(epoch), worker_(worker) {}

  micro::Task<micro::Result<Echo>> Unary(micro::Context& /*context*/, Echo request) override {
    const double end = worker_.Take(epoch_.now(), static_cast<double>(request.seq()) * 1e-9);
    co_await Until(&epoch_, end);
    co_return Echo();
  }

 private:
  const Epoch& epoch_;
  Worker worker_;
};

micro::ServiceOptions Options(const std::string& name, const micro::Plugins& plugins) {
  micro::ServiceOptions options;
  options.name = name;
  options.address = "127.0.0.1:0";
  options.registry = "memory";
  options.loops = 1;
  options.log_level = "error";
  options.plugins = plugins;
  options.drain_timeout = 1s;
  return options;
}

}  // namespace

struct Fleet::Parts {
  micro::Task<void> Drive(int client) {
    const EchoServiceClient echo("server", clients[static_cast<std::size_t>(client)]->client());
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      if (arrivals[i].client != client) continue;
      co_await Until(&epoch, arrivals[i].at);
      micro::Spawn(*micro::EventLoop::Current(), One(echo, i));
    }
  }

  // Measured from when the call was to begin, be the machine late or not.
  micro::Task<void> One(EchoServiceClient echo, std::size_t index) {
    Echo request;
    request.set_seq(static_cast<std::int64_t>(arrivals[index].work * 1e9));
    const auto answer = co_await echo.UnaryAsync(std::move(request), {.timeout = 5s, .retries = 0});
    seconds[index] = answer ? epoch.now() - arrivals[index].at : kTimeout;
    failed += answer ? 0 : 1;
    ++ended;
  }

  std::vector<Arrival> arrivals;
  Epoch epoch;
  std::vector<double> seconds = std::vector<double>(arrivals.size());
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::size_t> ended{0};
  std::vector<std::unique_ptr<micro::Service>> servers = {};
  std::vector<std::unique_ptr<micro::Service>> clients = {};
};

Fleet::Fleet(const std::string& selector, int clients, double seconds, std::uint64_t seed)
    : parts_(new Parts{.arrivals = Arrivals(clients, seconds, seed), .epoch = {}}) {
  const micro::Plugins plugins = micro::DefaultPlugins();
  for (int i = 0; i < kServers; ++i) {
    auto& server =
        parts_->servers.emplace_back(std::make_unique<micro::Service>(Options("server", plugins)));
    server->Handle(std::make_shared<Server>(parts_->epoch, Worker(i, seed)));
  }
  micro::ServiceOptions options = Options("client", plugins);
  options.selector = selector;
  for (int i = 0; i < clients; ++i) {
    parts_->clients.push_back(std::make_unique<micro::Service>(options));
  }
}

// Servers first: their goodbyes take a moment each, all at once.
Fleet::~Fleet() {
  parts_->clients.clear();
  std::vector<std::jthread> stopping;
  for (auto& server : parts_->servers) stopping.emplace_back([&server] { server->Stop(); });
}

bool Fleet::Start() {
  for (auto& server : parts_->servers) {
    if (!server->Start()) return false;
  }
  return true;
}

void Fleet::Call(Clock::time_point begin) {
  parts_->epoch.Begin(begin);
  for (int i = 0; i < static_cast<int>(parts_->clients.size()); ++i) {
    micro::Runtime& runtime = parts_->clients[static_cast<std::size_t>(i)]->runtime();
    micro::Spawn(runtime.loop(0), parts_->Drive(i));
  }
}

bool Fleet::Wait() {
  const double last = parts_->arrivals.empty() ? 0 : parts_->arrivals.back().at;
  while (parts_->ended < parts_->arrivals.size() && parts_->epoch.now() < last + 60) {
    std::this_thread::sleep_for(10ms);
  }
  return parts_->ended == parts_->arrivals.size();
}

Outcomes Fleet::outcomes() const {
  Outcomes outcomes;
  outcomes.failed = parts_->failed;
  for (std::size_t i = 0; i < parts_->arrivals.size(); ++i) {
    if (parts_->arrivals[i].at >= kWarmUp) outcomes.seconds.push_back(parts_->seconds[i]);
  }
  return outcomes;
}

}  // namespace bench::neighbours
