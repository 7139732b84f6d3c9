#include "natsd/sublist.h"

#include <algorithm>
#include <memory>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "natsd/subject_pattern.h"

namespace micro::natsd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class SublistTest : public ::testing::Test {
 protected:
  Subscription& Add(const std::string& subject) {
    all_.push_back(std::make_unique<Subscription>(Subscription{.subject = subject}));
    sublist_.Insert(*all_.back());
    return *all_.back();
  }

  std::vector<std::string> Matched(std::string_view subject) {
    std::vector<Subscription*> found;
    sublist_.Match(subject, found);
    std::vector<std::string> subjects;
    for (const Subscription* one : found) subjects.push_back(one->subject);
    return subjects;
  }

  std::vector<std::unique_ptr<Subscription>> all_;
  Sublist sublist_;
};

TEST_F(SublistTest, FindsLiteralsAndWildcards) {
  for (const char* subject :
       {"foo", "foo.bar", "foo.*", "foo.>", ">", "*", "*.bar", "foo.bar.baz"}) {
    Add(subject);
  }
  EXPECT_THAT(Matched("foo"), UnorderedElementsAre("foo", ">", "*"));
  EXPECT_THAT(Matched("foo.bar"), UnorderedElementsAre("foo.bar", "foo.*", "foo.>", ">", "*.bar"));
  EXPECT_THAT(Matched("foo.bar.baz"), UnorderedElementsAre("foo.bar.baz", "foo.>", ">"));
  EXPECT_THAT(Matched("nothing.here.at.all"), ElementsAre(">"));
}

TEST_F(SublistTest, GreaterWantsAtLeastOneToken) {
  Add("foo.>");
  EXPECT_THAT(Matched("foo"), IsEmpty());
  EXPECT_THAT(Matched("foo.a"), ElementsAre("foo.>"));
}

TEST_F(SublistTest, WildcardsWithinTokensAreLetters) {
  Add("foo*");
  Add("foo.>x");
  EXPECT_THAT(Matched("foobar"), IsEmpty());
  EXPECT_THAT(Matched("foo*"), ElementsAre("foo*"));
  EXPECT_THAT(Matched("foo.>x"), ElementsAre("foo.>x"));
}

TEST_F(SublistTest, PublishedWildcardsAreTakenLiterally) {
  Add("foo.bar");
  Add("foo.*");
  EXPECT_THAT(Matched("foo.*"), ElementsAre("foo.*"));
  EXPECT_THAT(Matched("foo.>"), ElementsAre("foo.*"));
}

TEST_F(SublistTest, EmptyTokensReachNobody) {
  Add(">");
  for (const char* subject : {"", ".", "a.", ".a", "a..b"}) {
    EXPECT_THAT(Matched(subject), IsEmpty()) << subject;
  }
}

TEST_F(SublistTest, WhatIsRemovedIsNotFound) {
  Subscription& first = Add("a.b");
  Add("a.b");
  Subscription& wild = Add("a.*");
  sublist_.Remove(first);
  EXPECT_THAT(Matched("a.b"), UnorderedElementsAre("a.b", "a.*"));
  sublist_.Remove(wild);
  EXPECT_THAT(Matched("a.b"), ElementsAre("a.b"));
  EXPECT_EQ(sublist_.size(), 1U);
}

TEST_F(SublistTest, MarksGoStaleWhenWhatTheyStandForMayChange) {
  const auto mark_of = [&](std::string_view subject) {
    return sublist_.MarkOf(subject, HashOf(subject));
  };
  const SublistMark mark = mark_of("orders.new");
  EXPECT_TRUE(mark.fresh());
  Add("invoices.*");
  EXPECT_TRUE(mark.fresh());
  Add("orders.new");
  EXPECT_FALSE(mark.fresh());
  const SublistMark second = mark_of("orders.new");
  Subscription& wild = Add("orders.*");
  EXPECT_FALSE(second.fresh());
  const SublistMark third = mark_of("orders.new");
  sublist_.Remove(wild);
  EXPECT_FALSE(third.fresh());
  const SublistMark fourth = mark_of("orders.new");
  Add("*.new");
  EXPECT_FALSE(fourth.fresh());
}

// Against the plainest definition there is.
TEST_F(SublistTest, AgreesWithMatchingOneByOne) {
  std::mt19937 random(7);
  const std::vector<std::string> tokens{"a", "b", "c", "*"};
  const auto draw = [&](bool pattern) {
    std::string subject;
    const std::size_t count = 1 + random() % 4;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) subject += '.';
      subject += tokens[random() % (pattern ? 4 : 3)];
    }
    if (pattern && random() % 4 == 0) subject += ".>";
    return subject;
  };
  for (int i = 0; i < 500; ++i) {
    Add(draw(true));
    if (random() % 3 == 0) {
      const std::size_t victim = random() % all_.size();
      sublist_.Remove(*all_[victim]);
      all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(victim));
    }
    const std::string subject = draw(false);
    std::vector<std::string> expected;
    for (const auto& one : all_) {
      if (Covers(one->subject, subject)) expected.push_back(one->subject);
    }
    EXPECT_THAT(Matched(subject), ::testing::UnorderedElementsAreArray(expected)) << subject;
  }
}

}  // namespace
}  // namespace micro::natsd
