#include "observe/span_ring.h"

#include <thread>

#include <gtest/gtest.h>

#include "observe/trace.h"

namespace micro::observe {
namespace {

const std::string kName = "svc.Greeter.Hello";

SpanRecord At(int second) {
  return {.trace = NewTrace(),
          .name = &kName,
          .start = TimePoint(std::chrono::seconds(second)),
          .duration = Duration(1)};
}

TEST(SpanRingTest, TheLatestAreKeptInOrder) {
  SpanRing ring;
  for (int i = 0; i < 1000; ++i) ring.Add(At(i));
  const auto spans = ring.Read("");
  ASSERT_EQ(spans.size(), SpanRing::kKept);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].start, TimePoint(std::chrono::seconds(1000 - SpanRing::kKept + i)));
  }
}

TEST(SpanRingTest, TheLatestOfAllThreadsAreKept) {
  SpanRing ring;
  std::jthread([&ring] {
    for (int i = 0; i < 1000; i += 2) ring.Add(At(i));
  }).join();
  for (int i = 1; i < 1000; i += 2) ring.Add(At(i));
  const auto spans = ring.Read("");
  ASSERT_EQ(spans.size(), SpanRing::kKept);
  EXPECT_EQ(spans.front().start, TimePoint(std::chrono::seconds(1000 - SpanRing::kKept)));
  EXPECT_EQ(spans.back().start, TimePoint(std::chrono::seconds(999)));
}

TEST(SpanRingTest, OneTraceIsFound) {
  SpanRing ring;
  ring.Add(At(1));
  const SpanRecord wanted = At(2);
  ring.Add(wanted);
  SpanRecord child = At(3);
  child.trace = ChildOf(wanted.trace);
  ring.Add(child);
  const auto spans = ring.Read(wanted.trace.trace_id());
  ASSERT_EQ(spans.size(), 2);
  EXPECT_EQ(spans[0].trace, wanted.trace);
  EXPECT_EQ(spans[1].trace.parent, wanted.trace.span);
  EXPECT_TRUE(ring.Read(NewTrace().trace_id()).empty());
}

}  // namespace
}  // namespace micro::observe
