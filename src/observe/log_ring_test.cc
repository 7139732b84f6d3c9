#include "observe/log_ring.h"

#include <gtest/gtest.h>

#include "base/log_level.h"

namespace micro::observe {
namespace {

// Keeps warnings and worse.
class Picky final : public Logger {
 public:
  bool Enabled(LogLevel level) const override { return level >= LogLevel::kWarn; }
  void Write(LogLevel level, std::string_view message) override {
    if (Enabled(level)) kept += message;
  }
  std::string kept;
};

TEST(LogRingTest, TheLatestLinesAreKept) {
  LogRing ring;
  for (int i = 1; i <= 2000; ++i) ring.Add(LogLevel::kInfo, std::to_string(i));
  const auto lines = ring.After(0);
  ASSERT_EQ(lines.size(), LogRing::kKept);
  EXPECT_EQ(lines.front().message, "977");
  EXPECT_EQ(lines.back().message, "2000");
  EXPECT_EQ(lines.back().number, 2000);
  EXPECT_EQ(ring.After(1998).size(), 2);
}

TEST(LogRingTest, ListenersHearOfEachLineUntilTheyAreRemoved) {
  LogRing ring;
  int heard = 0;
  const auto listener = ring.Listen([&heard] { ++heard; });
  ring.Add(LogLevel::kInfo, "one");
  ring.Add(LogLevel::kInfo, "two");
  ring.Remove(listener);
  ring.Add(LogLevel::kInfo, "three");
  EXPECT_EQ(heard, 2);
}

TEST(LogRingTest, ATeeKeepsWhatItsLoggerKeeps) {
  auto picky = std::make_shared<Picky>();
  auto ring = std::make_shared<LogRing>();
  const auto tee = TeeLogger(picky, ring);
  EXPECT_FALSE(tee->Enabled(LogLevel::kInfo));
  tee->Write(LogLevel::kInfo, "chatter");
  tee->Write(LogLevel::kError, "trouble");
  EXPECT_EQ(picky->kept, "trouble");
  const auto lines = ring->After(0);
  ASSERT_EQ(lines.size(), 1);
  EXPECT_EQ(lines[0].message, "trouble");
  EXPECT_EQ(LevelName(lines[0].level), "error");
}

}  // namespace
}  // namespace micro::observe
