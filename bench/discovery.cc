// What it costs a client to know 1,000 services of 10 nodes each, and to follow their changes.
#include <time.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <micro/micro.h>

#include "discovery/directory.h"

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kServices = 1000;
constexpr int kNodes = 10;
constexpr int kMostChanges = 4000;  // a registry's watches keep 4096 that were not told yet
constexpr auto kPatience = 60s;

double CpuSeconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  double size = 0;
  double resident = 0;
  file >> size >> resident;
  return resident * 4096;
}

micro::ServiceInfo Service(int number, const std::string& generation, int nodes) {
  const std::string name = "com.example.shop.service-" + std::to_string(number);
  micro::ServiceInfo service{.name = name, .version = "1.0.0"};
  for (int i = 0; i < nodes; ++i) {
    const std::string id = name + "-5f0c3a52-8f3e-4d6c-9a51-0000000000" + std::to_string(10 + i);
    service.nodes.push_back({.id = id,
                             .address = "10.1.2." + std::to_string(i) + ":50051",
                             .metadata = {{"protocol", "grpc"},
                                          {"registry", "memory"},
                                          {"server", "grpc"},
                                          {"transport", "grpc"},
                                          {"generation", generation}}});
  }
  return service;
}

class Bench {
 public:
  Bench() {
    registry_ = *micro::DefaultPlugins().registries.at("memory")({});
    directory_ = std::make_unique<micro::discovery::Directory>(micro::discovery::Surroundings{
        .runtime = &runtime_,
        .registry = registry_,
        .make_selector = [] { return micro::DefaultPlugins().selectors.at("least_loaded")({}); },
        .metrics = &metrics_});
  }

  // Every node of every service, one record each, as services register themselves.
  bool Register(const std::string& generation, int nodes) {
    for (int i = 0; i < kServices; ++i) {
      const micro::ServiceInfo all = Service(i, generation, kNodes);
      for (int node = 0; node < nodes; ++node) {
        micro::ServiceInfo one = all;
        one.nodes = {all.nodes[static_cast<std::size_t>(node)]};
        if (!registry_->Register(one, {})) return false;
      }
    }
    return true;
  }

  bool Find() {
    for (int i = 0; i < kServices; ++i) {
      endpoints_.push_back(directory_->Find(Service(i, "", 0).name));
      const micro::Status found = micro::Await(runtime_.loop(0), endpoints_.back()->Refresh({}));
      if (!found) return false;
    }
    return true;
  }

  // Until every service has so many nodes of `generation`.
  bool WaitFor(const std::string& generation, int nodes) {
    const auto until = Clock::now() + kPatience;
    for (const auto& endpoints : endpoints_) {
      while (Count(*endpoints, generation) < nodes) {
        if (Clock::now() > until) return false;
        std::this_thread::sleep_for(1ms);
      }
    }
    return true;
  }

  std::uint64_t updates() {
    return metrics_.GetCounter("micro_discovery_updates_total", "").value();
  }

 private:
  // By picking until there is nothing left to pick.
  static int Count(micro::discovery::Endpoints& endpoints, const std::string& generation) {
    std::vector<std::string> seen;
    int count = 0;
    while (true) {
      const auto pick = endpoints.selector().Select({.tried = seen});
      if (!pick) return count;
      count += pick->node().metadata.at("generation") == generation ? 1 : 0;
      seen.push_back(pick->node().id);
    }
  }

  micro::Runtime runtime_{{.loops = 2}};
  micro::Metrics metrics_;
  std::shared_ptr<micro::Registry> registry_;
  std::unique_ptr<micro::discovery::Directory> directory_;
  std::vector<std::shared_ptr<micro::discovery::Endpoints>> endpoints_;
};

bool Burst(Bench& bench, const std::string& generation, int nodes) {
  const std::uint64_t updates = bench.updates();
  const double cpu = CpuSeconds();
  const auto begin = Clock::now();
  if (!bench.Register(generation, nodes)) return false;
  const auto told = Clock::now();
  if (!bench.WaitFor(generation, nodes)) return false;
  const auto end = Clock::now();
  const double changes = kServices * nodes;
  std::printf(
      "%6.0f nodes change       %6.0f ms, of them %4.0f after the last was told; "
      "%5.1f us of CPU a change, %5llu updates\n",
      changes, std::chrono::duration<double, std::milli>(end - begin).count(),
      std::chrono::duration<double, std::milli>(end - told).count(),
      (CpuSeconds() - cpu) * 1e6 / changes,
      static_cast<unsigned long long>(bench.updates() - updates));
  return true;
}

bool Run() {
  Bench bench;
  if (!bench.Register("0", kNodes)) return false;
  const double before = ResidentBytes();
  const double cpu = CpuSeconds();
  const auto begin = Clock::now();
  if (!bench.Find()) return false;
  constexpr double kAll = kServices * kNodes;
  std::printf("%d services of %d nodes, in a registry in the same process.\n\n", kServices, kNodes);
  std::printf("all found                %6.0f ms; %5.1f us of CPU a node\n",
              std::chrono::duration<double, std::milli>(Clock::now() - begin).count(),
              (CpuSeconds() - cpu) * 1e6 / kAll);
  std::printf("memory                   %6.0f bytes a node\n", (ResidentBytes() - before) / kAll);
  return Burst(bench, "1", 1) && Burst(bench, "2", kMostChanges / kServices);
}

}  // namespace

int main() { return Run() ? 0 : 1; }
