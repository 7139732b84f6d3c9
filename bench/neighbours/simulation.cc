#include "neighbours/simulation.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "selector/consistent_hash.h"
#include "selector/least_loaded.h"
#include "selector/p2c.h"
#include "selector/prequal.h"
#include "selector/random.h"
#include "selector/round_robin.h"

namespace bench::neighbours {
namespace {

constexpr double kOneWay = 0.00025;

// The simulated time, where selectors look for it.
double g_now = 0;
micro::TimePoint Now() {
  using Seconds = std::chrono::duration<double>;
  return micro::TimePoint(std::chrono::hours(1)) +
         std::chrono::duration_cast<micro::Duration>(Seconds(g_now));
}

// What happens, in the order of its time.
class Future {
 public:
  void At(double time, std::move_only_function<void()> event) {
    events_.push_back({time, next_++, std::move(event)});
    std::ranges::push_heap(events_, Later);
  }
  void Run() {
    while (!events_.empty()) {
      std::ranges::pop_heap(events_, Later);
      Event event = std::move(events_.back());
      events_.pop_back();
      g_now = event.time;
      event.happen();
    }
  }

 private:
  struct Event {
    double time;
    std::uint64_t order;
    std::move_only_function<void()> happen;
  };
  static bool Later(const Event& a, const Event& b) {
    return a.time != b.time ? a.time > b.time : a.order > b.order;
  }

  std::vector<Event> events_;
  std::uint64_t next_ = 0;
};

struct Server {
  Worker worker;
  std::uint32_t in_flight = 0;
};

class Prober final : public micro::LoadProber {
 public:
  Prober(Future& future, std::vector<Server>& servers) : future_(future), servers_(servers) {}

  void Ask(const micro::Node& node, Told told) override {
    Server& server = servers_[std::stoul(node.id)];
    future_.At(g_now + kOneWay, [this, &server, told = std::move(told)]() mutable {
      future_.At(g_now + kOneWay,
                 [load = server.in_flight, told = std::move(told)]() mutable { told(load); });
    });
  }

 private:
  Future& future_;
  std::vector<Server>& servers_;
};

template <typename Kind>
std::unique_ptr<micro::Selector> MakeSelector(const micro::SelectorConfig& config) {
  return std::make_unique<Kind>(config, Now);
}

std::unique_ptr<micro::Selector> MakeSelector(const std::string& name,
                                              const micro::SelectorConfig& config) {
  using Make = std::unique_ptr<micro::Selector> (*)(const micro::SelectorConfig&);
  static const std::map<std::string, Make> known = {
      {"consistent_hash", MakeSelector<micro::ConsistentHashSelector>},
      {"least_loaded", MakeSelector<micro::LeastLoadedSelector>},
      {"p2c", MakeSelector<micro::P2cSelector>},
      {"prequal", MakeSelector<micro::PrequalSelector>},
      {"random", MakeSelector<micro::RandomSelector>},
      {"round_robin", MakeSelector<micro::RoundRobinSelector>},
  };
  return known.at(name)(config);
}

class Simulation {
 public:
  Simulation(const std::string& selector, int clients, std::uint64_t seed) {
    std::vector<micro::NodePtr> nodes;
    for (int i = 0; i < kServers; ++i) {
      servers_.push_back({Worker(i, seed)});
      nodes.push_back(std::make_shared<const micro::Node>(
          micro::Node{.id = std::to_string(i), .address = "", .metadata = {}}));
    }
    const auto prober = std::make_shared<Prober>(future_, servers_);
    for (int i = 0; i < clients; ++i) {
      clients_.push_back(MakeSelector(selector, {.prober = prober}));
      clients_.back()->Update(nodes);
    }
  }

  Outcomes Run(const std::vector<Arrival>& arrivals) {
    for (const Arrival& arrival : arrivals) {
      future_.At(arrival.at, [this, &arrival] { Begin(arrival); });
    }
    future_.Run();
    return std::move(outcomes_);
  }

 private:
  void Begin(const Arrival& arrival) {
    auto pick = clients_[static_cast<std::size_t>(arrival.client)]->Select({});
    Server& server = servers_[std::stoul(pick->node().id)];
    future_.At(arrival.at + kOneWay, [this, &arrival, &server, pick = *std::move(pick)]() mutable {
      Serve(arrival, server, std::move(pick));
    });
  }

  // A caller that loses patience goes; the work stays.
  void Serve(const Arrival& arrival, Server& server, micro::Pick pick) {
    ++server.in_flight;
    const double end = server.worker.Take(g_now, arrival.work);
    const double patience = arrival.at + kTimeout;
    const bool late = end + kOneWay > patience;
    future_.At(std::min(end, patience + kOneWay), [&server] { --server.in_flight; });
    future_.At(std::min(end + kOneWay, patience),
               [this, &arrival, late, pick = std::move(pick)]() mutable {
                 pick.Report(late ? micro::Outcome::kTimedOut : micro::Outcome::kAnswered);
                 End(arrival, late);
               });
  }

  void End(const Arrival& arrival, bool late) {
    if (arrival.at < kWarmUp) return;
    outcomes_.failed += late ? 1 : 0;
    outcomes_.seconds.push_back(g_now - arrival.at);
  }

  Future future_;
  std::vector<Server> servers_;
  std::vector<std::unique_ptr<micro::Selector>> clients_;
  Outcomes outcomes_;
};

}  // namespace

Outcomes Simulate(const std::string& selector, int clients, double seconds, std::uint64_t seed) {
  g_now = 0;
  return Simulation(selector, clients, seed).Run(Arrivals(clients, seconds, seed));
}

}  // namespace bench::neighbours
