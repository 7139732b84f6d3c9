#include <cstdio>
#include <cstdlib>

#include "chaos.h"

// A node whose packets get lost, as when its machine loses power or a cable is pulled: each runs on
// a machine of its own, a network namespace on the switch that namespace.sh has made.
namespace micro::chaos {
namespace {

class CutOffTest : public FleetTest {
 protected:
  static constexpr int kMachines = 3;

  void SetUp() override {
    if (std::getenv("MICRO_CHAOS_NETWORK") == nullptr) {
      GTEST_SKIP() << "needs a network of its own: tests/chaos/namespace.sh";
    }
    std::vector<std::string> addresses;
    for (int i = 0; i < kMachines; ++i) addresses.push_back(StartMachine(std::to_string(i)));
    caller_options_.keepalive_time = 1s;
    caller_options_.keepalive_timeout = 1s;
    Begin("static", addresses);
  }

  // Its address.
  std::string StartMachine(const std::string& number) {
    const std::string address = "10.78.0.1" + number;
    Shell("ip netns add node" + number);
    Shell("ip link add plug" + number + " type veth peer name eth0 netns node" + number);
    Shell("ip -n node" + number + " address add " + address + "/24 dev eth0");
    Shell("ip -n node" + number + " link set eth0 up");
    Plug(number);
    nodes_.push_back(std::make_unique<Child>(
        "/usr/bin/env",
        std::vector<std::string>{"ip", "netns", "exec", "node" + number,
                                 std::string(E2E_BIN) + "/chaos-node",
                                 "--server_address=" + address + ":7000", "--registry=memory"}));
    EXPECT_TRUE(nodes_.back()->WaitFor("listening on ")) << nodes_.back()->output();
    return address + ":7000";
  }
  static void Plug(const std::string& number) {
    Shell("ip link set plug" + number + " master micro0 up");
  }
  static void PullPlug(const std::string& number) {
    Shell("ip link set plug" + number + " nomaster");
  }
  static void Shell(const std::string& command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
};

// Nobody says that the node is gone: only that its connections are silent tells.
TEST_F(CutOffTest, ANodeThatIsCutOffIsGivenUpByTheKeepalive) {
  const std::string lost = "10.78.0.10:7000";
  Load load = Steady(Looks(60s));
  ASSERT_TRUE(load.Until([&] { return load.AnsweredBy(lost, TimePoint()) > 100; }));
  PullPlug("0");
  ASSERT_TRUE(load.Until([&] { return Count("micro_discovery_ejections_total") > 0; }));
  ASSERT_TRUE(load.Continues(5 * kPerSecond));
  const TimePoint plugged = Now();
  Plug("0");
  EXPECT_TRUE(load.Until([&] { return load.AnsweredBy(lost, plugged) > 0; }));
  load.Stop();
  EXPECT_THAT(load.failures(), ::testing::IsEmpty());
  // A call that waited for its deadline would have taken a minute.
  EXPECT_LT(load.longest(), 30s);
  std::printf(
      "a node cut off, keepalive 1 s + 1 s: %zu calls, %zu failed, the longest took %lld ms\n",
      load.ended(), load.failures().size(),
      static_cast<long long>(load.longest() / std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace micro::chaos
