#include <csignal>
#include <cstdio>

#include "chaos.h"

// A registry that dies, forgets, and is behind: calls go on, and what it says is right afterwards.
namespace micro::chaos {
namespace {

class EtcdChaosTest : public FleetTest {
 protected:
  void SetUp() override { BeginWithEtcd(); }

  // Calls that may be repeated, while `disturb` runs.
  template <typename Disturb>
  void CallsGoOnWhile(Disturb disturb) {
    Load load = Steady(Looks());
    ASSERT_TRUE(load.Continues(kPerSecond));
    disturb();
    ASSERT_TRUE(load.Continues(kPerSecond));
    load.Stop();
    EXPECT_THAT(load.failures(), ::testing::IsEmpty());
    std::printf("%zu calls, %zu failed\n", load.ended(), load.failures().size());
  }
  // Whether calls reach node `index` from now on.
  bool Reaches(std::size_t index) {
    Load load = Steady(Looks());
    const bool reached =
        load.Until([&] { return load.AnsweredBy(addresses_[index], TimePoint()) > 0; });
    load.Stop();
    return reached;
  }
  // While nobody hears of it: changes enough for the past to be compacted away.
  void Compact() {
    EtcdServer elsewhere(etcd_);
    elsewhere.Start();
    for (int i = 0; i < 5; ++i) elsewhere.Put("/other", std::to_string(i));
    elsewhere.Ctl("compact " + elsewhere.Revision());
  }
};

TEST_F(EtcdChaosTest, CallsGoOnWhileEtcdIsDead) {
  StartAll(3);
  CallsGoOnWhile([this] {
    etcd_.Kill();
    Load during = Steady(Calls());
    ASSERT_TRUE(during.Continues(3 * kPerSecond));
    during.Stop();
    EXPECT_THAT(during.failures(), ::testing::IsEmpty());
    // Its neighbours go on dying.
    Kill(0);
    etcd_.Start();
    Start(0);
    EXPECT_TRUE(Reaches(0));
  });
}

TEST_F(EtcdChaosTest, AnEtcdThatForgotEverythingIsToldAgain) {
  StartAll(3);
  CallsGoOnWhile([this] {
    etcd_.Kill();
    etcd_.Wipe();
    etcd_.Start();
    EXPECT_TRUE(Finds(3));
  });
}

TEST_F(EtcdChaosTest, WhatWasCompactedAwayIsListedAnew) {
  StartAll(3);
  CallsGoOnWhile([this] {
    etcd_.Kill();
    Compact();
    etcd_.Start();
    Terminate(0);
    Start(0);
    EXPECT_TRUE(Finds(3));
    EXPECT_TRUE(Reaches(0));
  });
}

// A process that is stopped cannot keep its lease: its record goes, and comes back with it. The
// calls that it had are answered late.
TEST_F(EtcdChaosTest, ALeaseThatRanOutWhileItsOwnerWasStoppedIsTakenAgain) {
  node_environment_.emplace_back("MICRO_REGISTER_TTL=5s");
  node_environment_.emplace_back("MICRO_REGISTER_INTERVAL=1s");
  StartAll(3);
  CallsGoOnWhile([this] {
    nodes_[0]->Signal(SIGSTOP);
    EXPECT_TRUE(Finds(2));
    nodes_[0]->Signal(SIGCONT);
    EXPECT_TRUE(Finds(3));
    EXPECT_TRUE(Reaches(0));
  });
}

}  // namespace
}  // namespace micro::chaos
