// How long calls take when servers have noisy neighbours, for every selector of the library: as a
// simulation says, and on real sockets.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <micro/micro.h>

#include "flag.h"
#include "neighbours/fleet.h"
#include "neighbours/simulation.h"

namespace {

using bench::neighbours::Fleet;
using bench::neighbours::Outcomes;
using Table = std::map<std::string, Outcomes>;  // by selector

struct Plan {
  double seconds;
  double simulated;
  int seeds;
};

// All selectors at once, each with a fleet of its own; the load on the machine is small.
bool Measure(int clients, const Plan& plan, std::uint64_t seed, Table& measured) {
  std::map<std::string, std::unique_ptr<Fleet>> fleets;
  for (const auto& [name, make] : micro::DefaultPlugins().selectors) {
    fleets[name] = std::make_unique<Fleet>(name, clients, plan.seconds, seed);
    if (!fleets[name]->Start()) return false;
  }
  const auto begin = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  for (auto& [name, fleet] : fleets) fleet->Call(begin);
  for (auto& [name, fleet] : fleets) {
    if (!fleet->Wait()) {
      std::fprintf(stderr, "calls of %s have not ended\n", name.c_str());
      return false;
    }
    measured[name].Add(fleet->outcomes());
  }
  return true;
}

void Print(int clients, const Table& simulated, const Table& measured) {
  for (const auto& [name, outcomes] : measured) {
    const Outcomes& model = simulated.at(name);
    std::printf("%7d  %-16s", clients, name.c_str());
    for (const Outcomes* one : {&model, &outcomes}) {
      for (const double share : {0.5, 0.99, 0.999}) std::printf(" %7.0f", one->Percentile(share));
      std::printf(" %6.2f  ",
                  100.0 * static_cast<double>(one->failed) /
                      static_cast<double>(std::max<std::size_t>(one->seconds.size(), 1)));
    }
    std::printf("%8zu\n", outcomes.seconds.size());
  }
}

bool Run(int clients, const Plan& plan) {
  Table simulated;
  Table measured;
  for (int seed = 1; seed <= plan.seeds; ++seed) {
    const auto number = static_cast<std::uint64_t>(seed);
    for (const auto& [name, make] : micro::DefaultPlugins().selectors) {
      simulated[name].Add(bench::neighbours::Simulate(name, clients, plan.simulated, number));
    }
    if (plan.seconds > 0 && !Measure(clients, plan, number, measured)) return false;
  }
  Print(clients, simulated, plan.seconds > 0 ? measured : simulated);
  std::fflush(stdout);
  return true;
}

}  // namespace

// --seconds=40: of each run on sockets (0: none); --simulated=300: of each in the model; --seeds=5
int main(int argc, char** argv) {
  const Plan plan = {
      .seconds = std::atof(bench::FlagValue(argc, argv, "seconds", "40").c_str()),
      .simulated = std::atof(bench::FlagValue(argc, argv, "simulated", "300").c_str()),
      .seeds = std::atoi(bench::FlagValue(argc, argv, "seeds", "5").c_str()),
  };
  using namespace bench::neighbours;
  std::printf(
      "%d servers with one worker each, work N(10 ms, 10 ms); each is at %.1f of its speed "
      "for %.0f %% of the time, %.0f s at a time.\n%.0f calls a second, %.0f %% of what they "
      "can do, at random times, measured from when they were to begin.\nMilliseconds; "
      "%d seeds, %.0f s of each simulated and %.0f s measured.\n\n",
      kServers, kSlowSpeed, 100 * kSlowShare, kDwell, kRate, 100 * kLoad, plan.seeds,
      plan.simulated, plan.seconds);
  std::printf("%-25s %-33s %s\n", "", "simulated", "measured");
  std::printf("%7s  %-16s %7s %7s %7s %6s   %7s %7s %7s %6s   %7s\n", "clients", "selector", "p50",
              "p99", "p99.9", "fail%", "p50", "p99", "p99.9", "fail%", "calls");
  for (const int clients : {1, 10}) {
    if (!Run(clients, plan)) return 1;
  }
  return 0;
}
