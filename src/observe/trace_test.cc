#include "observe/trace.h"

#include <set>
#include <thread>

#include <gtest/gtest.h>

namespace micro::observe {
namespace {

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceTest, TraceparentIsRead) {
  const auto trace = ParseTraceparent(kParent);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_id(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(trace->span_id(), "b7ad6b7169203331");
  EXPECT_EQ(trace->parent_id(), "");
  EXPECT_TRUE(trace->sampled);
  EXPECT_FALSE(
      ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->sampled);
  EXPECT_TRUE(ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff")->sampled);
}

TEST(TraceTest, WhatIsMalformedIsNoTraceparent) {
  for (const char* text : {
           "",
           "00",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
           "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "x0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
       }) {
    EXPECT_FALSE(ParseTraceparent(text)) << text;
  }
}

TEST(TraceTest, LaterVersionsMayCarryMore) {
  EXPECT_TRUE(ParseTraceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
  EXPECT_FALSE(ParseTraceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more"));
}

TEST(TraceTest, ARequestGoesOnWithItsCallersTrace) {
  const TraceContext trace = Continue({{"traceparent", kParent}, {"micro-id", "x"}});
  EXPECT_EQ(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(trace.parent_id(), "b7ad6b7169203331");
  EXPECT_NE(trace.span, 0);
  EXPECT_NE(trace.span, trace.parent);
}

TEST(TraceTest, GoMicrosKeysCountWhereThereIsNoTraceparent) {
  const TraceContext trace = Continue({{"traceparent", "rubbish"},
                                       {"micro-trace-id", "6ba7b810-9dad-41d1-80b4-00c04fd430c8"},
                                       {"micro-span-id", "7d444840-9dc0-11d1-b245-5ffdce74fad2"}});
  EXPECT_EQ(trace.trace_id(), "6ba7b8109dad41d180b400c04fd430c8");
  EXPECT_EQ(trace.parent_id(), "7d4448409dc011d1");
  EXPECT_TRUE(trace.sampled);
  const TraceContext old = Continue({{"micro-id", "6ba7b810-9dad-41d1-80b4-00c04fd430c8"},
                                     {"micro-span-id", "00f067aa0ba902b7"}});
  EXPECT_EQ(old.trace_id(), trace.trace_id());
  EXPECT_EQ(old.parent_id(), "00f067aa0ba902b7");
}

TEST(TraceTest, IdsOfAnyTextStandForThemselves) {
  const Metadata metadata = {{"micro-trace-id", "my trace"}, {"micro-span-id", "my span"}};
  const TraceContext one = Continue(metadata);
  const TraceContext two = Continue(metadata);
  EXPECT_EQ(one.trace_id(), two.trace_id());
  EXPECT_EQ(one.parent, two.parent);
  EXPECT_NE(one.span, two.span);
  EXPECT_NE(one.trace_id(),
            Continue({{"micro-trace-id", "other"}, {"micro-span-id", "my span"}}).trace_id());
}

TEST(TraceTest, OneOfGoMicrosKeysIsNotEnough) {
  for (const Metadata& metadata :
       {Metadata(), Metadata({{"micro-trace-id", "6ba7b810-9dad-41d1-80b4-00c04fd430c8"}}),
        Metadata({{"micro-span-id", "7d444840-9dc0-11d1-b245-5ffdce74fad2"}})}) {
    const TraceContext trace = Continue(metadata);
    EXPECT_TRUE(trace);
    EXPECT_EQ(trace.parent, 0);
    EXPECT_NE(trace.trace_id(), "6ba7b8109dad41d180b400c04fd430c8");
  }
}

TEST(TraceTest, BothFamiliesAreSent) {
  const TraceContext trace = ChildOf(Continue({{"traceparent", kParent}}));
  Metadata metadata;
  Inject(trace, nullptr, {}, metadata);
  EXPECT_EQ(metadata.Get("traceparent"),
            "00-0af7651916cd43dd8448eb211c80319c-" + trace.span_id() + "-01");
  EXPECT_EQ(metadata.Get("micro-trace-id"), "0af76519-16cd-43dd-8448-eb211c80319c");
  EXPECT_EQ(metadata.Get("micro-span-id"), trace.span_id());
  EXPECT_EQ(metadata.size(), 3);
  EXPECT_EQ(Continue(metadata).parent, trace.span);
}

TEST(TraceTest, WhatCameGoesOnAsItWas) {
  const Metadata inbound = {{"traceparent", kParent},
                            {"tracestate", "a=1"},
                            {"tracestate", "b=2"},
                            {"micro-trace-id", "my trace"},
                            {"micro-span-id", "my span"},
                            {"authorization", "Bearer secret"},
                            {"cookie", "c"},
                            {"x-user", "u"}};
  Metadata metadata;
  Inject(ChildOf(Continue(inbound)), &inbound, {}, metadata);
  EXPECT_EQ(metadata.Get("micro-trace-id"), "my trace");
  EXPECT_EQ(metadata.GetAll("tracestate"), (std::vector<std::string_view>{"a=1", "b=2"}));
  EXPECT_EQ(metadata.size(), 5);  // and nothing else
}

TEST(TraceTest, WhatIsSetAlreadyStays) {
  Metadata metadata = {{"traceparent", "mine"}, {"micro-trace-id", "mine"}};
  Inject(NewTrace(), nullptr, {}, metadata);
  EXPECT_EQ(metadata, (Metadata{{"traceparent", "mine"}, {"micro-trace-id", "mine"}}));
}

TEST(TraceTest, WhichKeysAreSentIsChosenByName) {
  const auto keys = [](std::string_view name) {
    Metadata metadata;
    Inject(NewTrace(), nullptr, *ParseTraceHeaders(name), metadata);
    return std::pair(metadata.Has("traceparent"), metadata.Has("micro-span-id"));
  };
  EXPECT_EQ(keys("both"), std::pair(true, true));
  EXPECT_EQ(keys("w3c"), std::pair(true, false));
  EXPECT_EQ(keys("micro"), std::pair(false, true));
  EXPECT_EQ(keys("none"), std::pair(false, false));
  EXPECT_FALSE(ParseTraceHeaders("b3"));
}

TEST(TraceTest, IdsDiffer) {
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(RandomId());
  std::uint64_t elsewhere = 0;
  std::jthread([&elsewhere] { elsewhere = RandomId(); }).join();
  ids.insert(elsewhere);
  EXPECT_EQ(ids.size(), 1001);
  EXPECT_FALSE(ids.contains(0));
}

TEST(TraceTest, WithoutIdsThereIsNoContext) {
  const TraceContext none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.parent_id(), "");
  Metadata metadata;
  Inject(none, nullptr, {}, metadata);
  EXPECT_TRUE(metadata.empty());
}

}  // namespace
}  // namespace micro::observe
