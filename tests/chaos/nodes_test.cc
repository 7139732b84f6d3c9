#include <csignal>
#include <cstdio>

#include "chaos.h"

// Nodes that die, hang and are replaced while they are called.
namespace micro::chaos {
namespace {

using NodesTest = FleetTest;
INSTANTIATE_TEST_SUITE_P(Registries, NodesTest, ::testing::Values("mdns", "etcd"),
                         [](const auto& registry) { return registry.param; });

// One of five is killed each second, and started again on another port. What the registry still
// says of the dead ones is wrong for up to a minute.
TEST_P(NodesTest, NoIdempotentCallFailsWhileNodesAreKilled) {
  StartAll();
  Load load = Steady(Looks());
  for (std::size_t i = 0; i < 2 * kNodes; ++i) {
    ASSERT_TRUE(load.Continues(kPerSecond));  // a second's calls
    Kill(i % kNodes);
    Start(i % kNodes);
  }
  ASSERT_TRUE(load.Continues(kPerSecond));
  load.Stop();
  EXPECT_THAT(load.failures(), ::testing::IsEmpty());
  std::printf("%s: 10 nodes killed, %zu calls, %zu failed\n", GetParam().c_str(), load.ended(),
              load.failures().size());
}

TEST_P(NodesTest, ARollingRestartFailsNoCallOfAnyKind) {
  StartAll();
  Load looks = Steady(Looks());
  Load calls = Steady(Calls());
  Load streams = Steady(Streams());
  for (std::size_t i = 0; i < kNodes; ++i) {
    ASSERT_TRUE(calls.Continues(kPerSecond));
    Terminate(i);
    Start(i);
  }
  const TimePoint renewed = Now();
  for (const std::string& address : addresses_) {
    EXPECT_TRUE(looks.Until([&] { return looks.AnsweredBy(address, renewed) > 0; })) << address;
  }
  for (Load* load : {&looks, &calls, &streams}) {
    load->Stop();
    EXPECT_THAT(load->failures(), ::testing::IsEmpty());
  }
  std::printf("%s: 5 nodes replaced, %zu calls, %zu failed\n", GetParam().c_str(),
              looks.ended() + calls.ended() + streams.ended(),
              looks.failures().size() + calls.failures().size() + streams.failures().size());
}

// A process that is stopped still has its connections, and answers no more. Calls that it has are
// lost at their deadline; those after them go to the others.
TEST_P(NodesTest, AStoppedNodeIsLeftAlone) {
  StartAll();
  Load load = Steady(Looks(1s));
  ASSERT_TRUE(load.Continues(2 * kPerSecond));
  const TimePoint stopped = Now();
  nodes_[0]->Signal(SIGSTOP);
  ASSERT_TRUE(load.Until([&] { return Count("micro_discovery_ejections_total") > 0; }));
  ASSERT_TRUE(load.Continues(2 * kPerSecond));
  const TimePoint resumed = Now();
  const auto recovery =
      std::chrono::duration_cast<std::chrono::milliseconds>(load.TroubleSince(stopped, 500ms));
  nodes_[0]->Signal(SIGCONT);
  EXPECT_TRUE(load.Until([&] { return load.AnsweredBy(addresses_[0], resumed) > 0; }));
  load.Stop();
  EXPECT_LT(load.failures().size(), load.ended() / 4);
  std::printf("%s: a node stopped, calls in trouble for %lld ms, %zu of %zu failed\n",
              GetParam().c_str(), static_cast<long long>(recovery.count()), load.failures().size(),
              load.ended());
}

}  // namespace
}  // namespace micro::chaos
