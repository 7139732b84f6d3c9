// How long calls take when servers have noisy neighbours, for every selector of the library: as a
// simulation says, and on real sockets.
#include <algorithm>
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
using bench::neighbours::Shape;
using Table = std::map<std::string, Outcomes>;  // by selector

struct Plan {
  double seconds;
  double simulated;
  int seeds;
};

// All selectors at once, each with a fleet of its own; the load on the machine is small.
bool Measure(const Shape& shape, const Plan& plan, std::uint64_t seed, Table& measured) {
  std::map<std::string, std::unique_ptr<Fleet>> fleets;
  for (const auto& [name, make] : micro::DefaultPlugins().selectors) {
    fleets[name] = std::make_unique<Fleet>(name, shape, plan.seconds, seed);
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

void Print(const Shape& shape, const Table& simulated, const Table& measured) {
  for (const auto& [name, outcomes] : measured) {
    const Outcomes& model = simulated.at(name);
    std::printf("%7d  %-16s", shape.clients, name.c_str());
    for (const Outcomes* one : {&model, &outcomes}) {
      const auto [least, most] = std::ranges::minmax(one->p99s);
      std::printf(" %6.0f %6.0f (%4.0f-%4.0f) %6.0f %5.2f ", one->Percentile(0.5),
                  one->Percentile(0.99), least, most, one->Percentile(0.999),
                  one->failed_percent());
    }
    std::printf("%8zu\n", outcomes.seconds.size());
  }
}

bool Run(const Shape& shape, const Plan& plan) {
  Table simulated;
  Table measured;
  for (int seed = 1; seed <= plan.seeds; ++seed) {
    const auto number = static_cast<std::uint64_t>(seed);
    for (const auto& [name, make] : micro::DefaultPlugins().selectors) {
      simulated[name].Add(bench::neighbours::Simulate(name, shape, plan.simulated, number));
    }
    if (plan.seconds > 0 && !Measure(shape, plan, number, measured)) return false;
  }
  Print(shape, simulated, plan.seconds > 0 ? measured : simulated);
  std::fflush(stdout);
  return true;
}

}  // namespace

// --seconds=40: of each run on sockets (0: none); --simulated=300: of each in the model; --seeds=5;
// --servers=10; --load=0.7; --clients: a number of them, in place of 1 and 10
int main(int argc, char** argv) {
  const auto number = [&](const char* flag, const char* otherwise) {
    return std::atof(bench::FlagValue(argc, argv, flag, otherwise).c_str());
  };
  const Plan plan = {.seconds = number("seconds", "40"),
                     .simulated = number("simulated", "300"),
                     .seeds = static_cast<int>(number("seeds", "5"))};
  Shape shape = {.servers = static_cast<int>(number("servers", "10")),
                 .clients = static_cast<int>(number("clients", "0")),
                 .load = number("load", "0.7")};
  using namespace bench::neighbours;
  std::printf(
      "%d servers with one worker each, work N(10 ms, 10 ms); each is at %.1f of its speed for "
      "%.0f "
      "%% of the time, %.0f s at a time.\n%.0f calls a second, %.0f %% of what they can do, at "
      "random times, measured from when they were to begin.\nMilliseconds; %d seeds, %.0f s of "
      "each "
      "simulated and %.0f s measured.\n\n",
      shape.servers, kSlowSpeed, 100 * kSlowShare, kDwell, shape.rate(), 100 * shape.load,
      plan.seeds, plan.simulated, plan.seconds);
  std::printf("%-25s %-45s %s\n", "", "simulated", plan.seconds > 0 ? "measured" : "the same");
  std::printf("%7s  %-16s", "clients", "selector");
  for (int i = 0; i < 2; ++i) {
    std::printf(" %6s %6s %11s %6s %5s ", "p50", "p99", "(by seed)", "p99.9", "fail%");
  }
  std::printf("%8s\n", "calls");
  std::vector<int> clients = {1, 10};
  if (shape.clients > 0) clients = {shape.clients};
  for (const int count : clients) {
    shape.clients = count;
    if (!Run(shape, plan)) return 1;
  }
  return 0;
}
