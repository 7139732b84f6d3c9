#include "runtime/signal.h"

#include <gtest/gtest.h>

#include "micro/runtime.h"

namespace micro::runtime {
namespace {

using namespace std::chrono_literals;

Task<bool> WaitFor(Signal& signal, Patience patience) {
  Signal::Awaiter awaiter(signal, patience);
  co_return co_await awaiter;
}

// Waiters that were started, and what they said.
struct Waits {
  static internal::Detached Start(Waits& waits, Signal& signal, Patience patience) {
    const bool in_time = co_await WaitFor(signal, patience);
    waits.outcomes.push_back(in_time);
  }
  std::vector<bool> outcomes;
};

class SignalTest : public ::testing::Test {
 protected:
  // Runs `body` on the loop.
  void OnLoop(std::move_only_function<void()> body) {
    internal::Parker done;
    runtime_.loop(0).Post([&] {
      body();
      done.Signal();
    });
    done.Wait();
  }

  Runtime runtime_{{.loops = 1}};
  Signal signal_;
  Waits waits_;
};

TEST_F(SignalTest, WakesAllWhoWait) {
  OnLoop([&] {
    for (int i = 0; i < 3; ++i) Waits::Start(waits_, signal_, {});
    EXPECT_TRUE(waits_.outcomes.empty());
    signal_.Set();
    EXPECT_EQ(waits_.outcomes, std::vector<bool>(3, true));
  });
}

TEST_F(SignalTest, WhoComesLaterDoesNotWait) {
  OnLoop([&] {
    signal_.Set();
    Waits::Start(waits_, signal_, {});
    EXPECT_EQ(waits_.outcomes, std::vector<bool>{true});
  });
}

TEST_F(SignalTest, TheDeadlineEndsAWait) {
  const auto waited = Await(runtime_.loop(0),
                            WaitFor(signal_, {.deadline = std::chrono::steady_clock::now() + 1ms}));
  EXPECT_EQ(waited, false);
}

TEST_F(SignalTest, ADeadlineThatPassedEndsItAtOnce) {
  const auto waited = Await(runtime_.loop(0),
                            WaitFor(signal_, {.deadline = std::chrono::steady_clock::now() - 1h}));
  EXPECT_EQ(waited, false);
}

TEST_F(SignalTest, AnInterrupterEndsAWait) {
  OnLoop([&] {
    Interrupter interrupter;
    Waits::Start(waits_, signal_, {.interrupter = &interrupter});
    interrupter.Pull();
    EXPECT_EQ(waits_.outcomes, std::vector<bool>{false});
    signal_.Set();  // nobody is left
    EXPECT_EQ(waits_.outcomes.size(), 1U);
  });
}

TEST_F(SignalTest, AnInterrupterThatWasPulledEndsEveryLaterWait) {
  OnLoop([&] {
    Interrupter interrupter;
    interrupter.Pull();
    Waits::Start(waits_, signal_, {.interrupter = &interrupter});
    EXPECT_EQ(waits_.outcomes, std::vector<bool>{false});
  });
}

TEST_F(SignalTest, PullingAfterTheWaitDoesNoHarm) {
  OnLoop([&] {
    Interrupter interrupter;
    Waits::Start(waits_, signal_, {.interrupter = &interrupter});
    signal_.Set();
    interrupter.Pull();
    EXPECT_EQ(waits_.outcomes, std::vector<bool>{true});
  });
}

// Ends another's wait while it is being woken itself.
TEST_F(SignalTest, AWokenWaiterMayEndAnothersWait) {
  OnLoop([&] {
    Interrupter interrupter;
    const auto pull_first = [](Signal& signal, Interrupter& other) -> internal::Detached {
      co_await WaitFor(signal, {});
      other.Pull();
    };
    pull_first(signal_, interrupter);
    Waits::Start(waits_, signal_, {.interrupter = &interrupter});
    signal_.Set();
    EXPECT_EQ(waits_.outcomes, std::vector<bool>{false});
  });
}

}  // namespace
}  // namespace micro::runtime
