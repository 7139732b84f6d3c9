// What it costs to pick a node and to tell how it went, for each selector that comes with the
// library.
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <micro/micro.h>

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::duration<double, std::nano>;

constexpr int kPicks = 200'000;
constexpr std::size_t kUnderWay = 64;  // calls at a time

std::vector<micro::NodePtr> Nodes(int count) {
  std::vector<micro::NodePtr> nodes;
  for (int i = 0; i < count; ++i) {
    const std::string id = "bench-" + std::to_string(i);
    nodes.push_back(std::make_shared<const micro::Node>(
        micro::Node{.id = id, .address = "10.0.0.1:" + std::to_string(i)}));
  }
  return nodes;
}

// Nodes that answer at once, and cost nothing.
class IdleNodes final : public micro::LoadProber {
 public:
  void Ask(const micro::Node& /*node*/, Told told) override { told(0); }
};

// Each pick lasts until kUnderWay others have begun.
void Pick(micro::Selector& selector) {
  std::vector<micro::Pick> under_way;
  under_way.reserve(kUnderWay);
  for (int picks = 0; picks < kPicks;) {
    under_way.clear();
    for (std::size_t i = 0; i < kUnderWay; ++i, ++picks) {
      auto pick = selector.Select({.key = picks});
      if (pick) under_way.push_back(*std::move(pick));
    }
    for (micro::Pick& pick : under_way) pick.Report(micro::Outcome::kAnswered);
  }
}

double NanosecondsEach(micro::Selector& selector, int threads) {
  const auto start = Clock::now();
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back([&] { Pick(selector); });
  for (std::thread& thread : running) thread.join();
  return Nanoseconds(Clock::now() - start).count() / kPicks;
}

void Row(const std::string& name, const micro::SelectorFactory& make, int threads) {
  std::printf("%-20s %7d", name.c_str(), threads);
  for (const int count : {10, 100, 1000, 10'000}) {
    const auto selector = make({.prober = std::make_shared<IdleNodes>()});
    selector->Update(Nodes(count));
    std::printf(" %7.0f", NanosecondsEach(*selector, threads));
  }
  std::printf("\n");
}

}  // namespace

int main() {
  std::printf("Nanoseconds for a pick and its report, %zu calls under way on each thread.\n\n",
              kUnderWay);
  std::printf("%-20s %7s %7s %7s %7s %7s nodes\n", "selector", "threads", "10", "100", "1,000",
              "10,000");
  for (const auto& [name, make] : micro::DefaultPlugins().selectors) {
    for (const int threads : {1, 2}) Row(name, make, threads);
  }
}
