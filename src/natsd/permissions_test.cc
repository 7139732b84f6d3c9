#include "natsd/permissions.h"

#include <gtest/gtest.h>

#include "natsd/subject_pattern.h"

namespace micro::natsd {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

AccessRules RulesOf(const Permissions& permissions) {
  auto rules = AccessRules::Make(permissions);
  EXPECT_TRUE(rules) << rules.error().detail();
  return rules.value_or(AccessRules());
}

TEST(SubjectPatternTest, TellsPatternsFromNone) {
  for (const char* good : {"a", "a.b", "*", ">", "a.*.c", "a.>", "a*", "a.>b", "ä.ö"}) {
    EXPECT_TRUE(IsPattern(good)) << good;
  }
  for (const char* bad : {"", ".", "a.", ".a", "a..b", ">.a", "a.>.b", "a b", "a\tb", "a\r"}) {
    EXPECT_FALSE(IsPattern(bad)) << bad;
  }
}

TEST(SubjectPatternTest, AWildcardIsAWholeToken) {
  EXPECT_TRUE(HasWildcard("a.*"));
  EXPECT_TRUE(HasWildcard(">"));
  EXPECT_FALSE(HasWildcard("a*.b>"));
}

TEST(SubjectPatternTest, CoversWhatItMatchesAndNarrowerPatterns) {
  EXPECT_TRUE(Covers("a.b", "a.b"));
  EXPECT_TRUE(Covers("a.*", "a.b"));
  EXPECT_TRUE(Covers("a.*", "a.*"));
  EXPECT_TRUE(Covers("a.>", "a.b.c"));
  EXPECT_TRUE(Covers("a.>", "a.*"));
  EXPECT_TRUE(Covers(">", ">"));
  EXPECT_FALSE(Covers("a.*", "a.>"));
  EXPECT_FALSE(Covers("*", ">"));
  EXPECT_FALSE(Covers("a.b", "a.*"));
  EXPECT_FALSE(Covers("a.>", "a"));
  EXPECT_FALSE(Covers("a.b", "a"));
  EXPECT_FALSE(Covers("a", "a.b"));
  EXPECT_FALSE(Covers("a*", "ab"));
}

TEST(SubjectPatternTest, OverlapIsASubjectInCommon) {
  EXPECT_TRUE(Overlap("a.*", "*.b"));
  EXPECT_TRUE(Overlap("a.>", "*.b.c"));
  EXPECT_TRUE(Overlap(">", "a"));
  EXPECT_FALSE(Overlap("a.*", "b.*"));
  EXPECT_FALSE(Overlap("a.*", "a.*.c"));
  EXPECT_FALSE(Overlap("a.>", "a"));
}

TEST(AccessRulesTest, WithoutRulesEverythingIsAllowed) {
  const AccessRules rules = RulesOf({});
  EXPECT_TRUE(rules.MayPublish("a.b"));
  EXPECT_TRUE(rules.MaySubscribe(">", "q"));
  EXPECT_FALSE(rules.FiltersDeliveryTo(">"));
}

TEST(AccessRulesTest, WhatIsNotAllowedIsDenied) {
  const AccessRules rules = RulesOf({.publish = {.allow = {"a.*", "b"}}});
  EXPECT_TRUE(rules.MayPublish("a.x"));
  EXPECT_TRUE(rules.MayPublish("b"));
  EXPECT_FALSE(rules.MayPublish("a.x.y"));
  EXPECT_FALSE(rules.MayPublish("c"));
  EXPECT_TRUE(rules.MaySubscribe("c", ""));
}

TEST(AccessRulesTest, DenyBeatsAllow) {
  const AccessRules rules = RulesOf({.publish = {.allow = {">"}, .deny = {"secret.>"}},
                                     .subscribe = {.allow = {"a"}, .deny = {"a"}}});
  EXPECT_TRUE(rules.MayPublish("open"));
  EXPECT_FALSE(rules.MayPublish("secret.x"));
  EXPECT_FALSE(rules.MaySubscribe("a", ""));
}

TEST(AccessRulesTest, APatternMustBeAllowedAsAWhole) {
  const AccessRules rules = RulesOf({.subscribe = {.allow = {"a.*"}}});
  EXPECT_TRUE(rules.MaySubscribe("a.*", ""));
  EXPECT_FALSE(rules.MaySubscribe("a.>", ""));
  EXPECT_FALSE(rules.MaySubscribe("*.b", ""));
}

TEST(AccessRulesTest, APatternThatOverlapsADenialIsFiltered) {
  const AccessRules rules = RulesOf({.subscribe = {.deny = {"a.secret", "*.x"}}});
  EXPECT_FALSE(rules.MaySubscribe("a.secret", ""));
  EXPECT_TRUE(rules.MaySubscribe("a.*", ""));
  EXPECT_TRUE(rules.FiltersDeliveryTo("a.*"));
  EXPECT_TRUE(rules.FiltersDeliveryTo("b.*"));
  EXPECT_FALSE(rules.FiltersDeliveryTo("b.c.*"));
  EXPECT_FALSE(rules.FiltersDeliveryTo("a.b"));
  EXPECT_TRUE(rules.DeniesDelivery("a.secret", ""));
  EXPECT_TRUE(rules.DeniesDelivery("b.x", "q"));
  EXPECT_FALSE(rules.DeniesDelivery("a.open", ""));
}

TEST(AccessRulesTest, ARuleMayNameTheQueue) {
  const AccessRules rules =
      RulesOf({.subscribe = {.allow = {"a", "b v1", "b *.dev", "c", "c q"}, .deny = {"a bad"}}});
  EXPECT_TRUE(rules.MaySubscribe("a", ""));
  EXPECT_TRUE(rules.MaySubscribe("a", "any"));
  EXPECT_FALSE(rules.MaySubscribe("a", "bad"));
  EXPECT_FALSE(rules.MaySubscribe("b", ""));
  EXPECT_TRUE(rules.MaySubscribe("b", "v1"));
  EXPECT_TRUE(rules.MaySubscribe("b", "x.dev"));
  EXPECT_FALSE(rules.MaySubscribe("b", "v2"));
  EXPECT_TRUE(rules.MaySubscribe("c", ""));
  EXPECT_TRUE(rules.MaySubscribe("c", "q"));
  EXPECT_FALSE(rules.MaySubscribe("c", "r"));
}

TEST(AccessRulesTest, ADeniedQueueIsKeptFromWildcardsToo) {
  const AccessRules rules = RulesOf({.subscribe = {.deny = {"a.b q"}}});
  EXPECT_TRUE(rules.MaySubscribe("a.*", "q"));
  EXPECT_TRUE(rules.FiltersDeliveryTo("a.*"));
  EXPECT_TRUE(rules.DeniesDelivery("a.b", "q"));
  EXPECT_FALSE(rules.DeniesDelivery("a.b", ""));
}

TEST(AccessRulesTest, WhoMayAnswerMayNotPublishOtherwise) {
  EXPECT_FALSE(RulesOf({.responses = ResponseRule{}}).MayPublish("a"));
  const AccessRules both = RulesOf({.publish = {.allow = {"a"}}, .responses = ResponseRule{}});
  EXPECT_TRUE(both.MayPublish("a"));
  EXPECT_FALSE(both.MayPublish("b"));
}

TEST(AccessRulesTest, WhatIsNoRuleIsAnErrorThatQuotesIt) {
  for (const char* bad : {"", "a..b", "a q r", "a.>.b", " a", "a "}) {
    const auto rules = AccessRules::Make({.publish = {.allow = {bad}}});
    if (std::string_view(bad) == "a ") {
      EXPECT_TRUE(rules);
      continue;
    }
    ASSERT_FALSE(rules) << bad;
    EXPECT_EQ(rules.error().phase(), Phase::kConfigure);
    EXPECT_NE(rules.error().detail().find(bad), std::string::npos);
  }
}

TEST(ResponseLeavesTest, ALeaveIsUsedUp) {
  ResponseLeaves leaves({.max = 2, .expires = minutes(2)});
  const TimePoint now{};
  EXPECT_FALSE(leaves.Take("r", now));
  leaves.Grant("r", now);
  EXPECT_FALSE(leaves.Take("s", now));
  EXPECT_TRUE(leaves.Take("r", now));
  EXPECT_TRUE(leaves.Take("r", now));
  EXPECT_FALSE(leaves.Take("r", now));
}

TEST(ResponseLeavesTest, ALeaveExpires) {
  ResponseLeaves leaves({.max = 1, .expires = seconds(10)});
  leaves.Grant("r", TimePoint{});
  EXPECT_FALSE(leaves.Take("r", TimePoint{} + seconds(10)));
  leaves.Grant("r", TimePoint{} + seconds(11));
  leaves.Grant("s", TimePoint{} + seconds(15));  // forgets the first, not the second, of "r"
  EXPECT_TRUE(leaves.Take("r", TimePoint{} + seconds(20)));
}

TEST(ResponseLeavesTest, SomeNeverEnd) {
  ResponseLeaves leaves({.max = -1, .expires = Duration::zero()});
  leaves.Grant("r", TimePoint{});
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(leaves.Take("r", TimePoint{} + std::chrono::hours(i)));
}

TEST(ResponseLeavesTest, OnlySoManyAreRemembered) {
  ResponseLeaves leaves({.max = -1, .expires = Duration::zero()});
  for (std::size_t i = 0; i < 3 * ResponseLeaves::kMost; ++i) {
    leaves.Grant("r" + std::to_string(i), TimePoint{} + seconds(i));
  }
  EXPECT_LE(leaves.size(), ResponseLeaves::kMost);
  EXPECT_FALSE(leaves.Take("r0", TimePoint{}));
  EXPECT_TRUE(leaves.Take("r" + std::to_string(3 * ResponseLeaves::kMost - 1), TimePoint{}));
}

}  // namespace
}  // namespace micro::natsd
