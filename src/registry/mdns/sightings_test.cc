#include "registry/mdns/sightings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::mdns {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Sighting See(const std::string& id, std::uint32_t ttl = 120, const std::string& service = "svc",
             int port = 80) {
  const std::string address = "10.0.0.1:" + std::to_string(port);
  return {.instance = Name::FromText(id + "." + service + ".micro").value(),
          .service = {.name = service, .nodes = {{.id = id, .address = address}}},
          .ttl = ttl};
}

class SightingsTest : public testing::Test {
 protected:
  Sightings::Due DueAfter(Duration passed) {
    return sightings_.TakeDue(start_ + passed, [this](const std::string&) { return watched_; });
  }

  const TimePoint start_ = std::chrono::steady_clock::now();
  bool watched_ = true;
  Sightings sightings_;
};

TEST_F(SightingsTest, ARepetitionIsNoNewsForAWhile) {
  EXPECT_TRUE(sightings_.TakeAnnouncement(See("a"), start_));
  EXPECT_FALSE(sightings_.TakeAnnouncement(See("a"), start_ + 3s));
  EXPECT_TRUE(sightings_.TakeAnnouncement(See("a", 120, "svc", 81), start_ + 3s));
  EXPECT_TRUE(sightings_.TakeAnnouncement(See("a", 120, "svc", 81), start_ + 8s));
  EXPECT_TRUE(sightings_.TakeAnnouncement(See("a", 0, "svc", 81), start_ + 8s));
  EXPECT_FALSE(sightings_.TakeAnnouncement(See("a", 0, "svc", 81), start_ + 8s));
}

TEST_F(SightingsTest, ANodeThatIsNotHeardOfExpires) {
  sightings_.TakeAnnouncement(See("a"), start_);
  for (const auto after : {96s, 103s, 109s, 115s}) DueAfter(after + 2s);
  EXPECT_THAT(DueAfter(119s).expired, IsEmpty());
  EXPECT_THAT(DueAfter(120s).expired, ElementsAre(See("a").service));
  EXPECT_THAT(DueAfter(121s).expired, IsEmpty());
  EXPECT_EQ(sightings_.next_due(), TimePoint::max());
}

TEST_F(SightingsTest, ItIsAskedForFourTimesBeforeItExpires) {
  sightings_.TakeAnnouncement(See("a"), start_);
  int asked = 0;
  while (sightings_.next_due() < start_ + 119s) {
    const TimePoint due = sightings_.next_due();
    const double part = std::chrono::duration<double>(due - start_) / 120s;
    EXPECT_GE(part, 0.80 + 0.05 * asked);
    EXPECT_LE(part, 0.82 + 0.05 * asked);
    EXPECT_THAT(DueAfter(due - start_).ask, ElementsAre("svc"));
    ++asked;
  }
  EXPECT_EQ(asked, 4);
}

TEST_F(SightingsTest, AnAnswerGivesItAllItsTimeAgain) {
  sightings_.TakeAnnouncement(See("a"), start_);
  DueAfter(100s);
  EXPECT_FALSE(sightings_.TakeAnswer(See("a"), start_ + 100s));
  EXPECT_THAT(DueAfter(180s).expired, IsEmpty());
  EXPECT_GE(sightings_.next_due(), start_ + 100s + 96s);
}

TEST_F(SightingsTest, OneQuestionASecondForAServiceHoweverManyNodes) {
  for (int i = 0; i < 50; ++i) sightings_.TakeAnnouncement(See(std::to_string(i)), start_);
  sightings_.TakeAnnouncement(See("a", 120, "other"), start_);
  EXPECT_THAT(DueAfter(100s).ask, ElementsAre("other", "svc"));
  EXPECT_THAT(DueAfter(100500ms).ask, IsEmpty());
}

TEST_F(SightingsTest, WhatNobodyWatchesIsNotAskedFor) {
  watched_ = false;
  sightings_.TakeAnswer(See("a"), start_);
  EXPECT_THAT(DueAfter(100s).ask, IsEmpty());
  EXPECT_THAT(DueAfter(120s).expired, ElementsAre(See("a").service));
}

TEST_F(SightingsTest, AProcessThatSleptAsksBeforeItBelievesThatAllAreGone) {
  sightings_.TakeAnnouncement(See("a"), start_);
  const auto due = DueAfter(1h);
  EXPECT_THAT(due.expired, IsEmpty());
  EXPECT_THAT(due.ask, ElementsAre("svc"));
  EXPECT_THAT(DueAfter(1h + 2s).expired, ElementsAre(See("a").service));
}

TEST_F(SightingsTest, AnAnswerThatCrossedAnAnnouncementIsNoNews) {
  sightings_.TakeAnnouncement(See("a", 0), start_);
  EXPECT_FALSE(sightings_.TakeAnswer(See("a"), start_ + 100ms));
  EXPECT_TRUE(sightings_.TakeAnswer(See("a"), start_ + 2s));
  EXPECT_FALSE(sightings_.TakeAnswer(See("a", 0), start_ + 5s)) << "answers say no goodbye";
}

TEST_F(SightingsTest, NobodyIsBelievedForEver) {
  sightings_.TakeAnnouncement(See("a", 0xffffffff), start_);
  watched_ = false;
  EXPECT_EQ(DueAfter(Sightings::kLongestTtl).expired.size(), 1U);
}

TEST_F(SightingsTest, KnownAnswersAreThoseWithMoreThanHalfTheirTimeLeft) {
  sightings_.TakeAnnouncement(See("old"), start_);
  sightings_.TakeAnnouncement(See("new"), start_ + 50s);
  sightings_.TakeAnnouncement(See("gone", 0), start_ + 50s);
  sightings_.TakeAnnouncement(See("a", 120, "other"), start_ + 50s);
  const auto known = sightings_.KnownAnswers("svc", start_ + 70s, 10);
  EXPECT_THAT(known, ElementsAre(Record{.name = Name::FromText("svc.micro").value(),
                                        .ttl = 100,
                                        .data = Ptr{See("new").instance}}));
  EXPECT_THAT(sightings_.KnownAnswers("svc", start_ + 51s, 1).size(), 1U);
}

TEST_F(SightingsTest, WhoeverMakesUpNodesDisplacesNone) {
  sightings_.TakeAnnouncement(See("a"), start_);
  for (std::size_t i = 0; i < Sightings::kMaxInstances + 10; ++i) {
    EXPECT_TRUE(sightings_.TakeAnnouncement(See("fake" + std::to_string(i), 4500), start_));
  }
  watched_ = false;
  EXPECT_THAT(DueAfter(200s).expired, ElementsAre(See("a").service));
}

}  // namespace
}  // namespace micro::mdns
