#include "registry/mdns/announcer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::mdns {
namespace {

using namespace std::chrono_literals;

struct Sent {
  std::uint16_t port = 0;
  std::uint32_t ttl = 0;
  TimePoint at{};
};

Instance At(int port, const std::string& id = "id") {
  const ServiceInfo service{.name = "svc", .version = "1"};
  return MakeInstance(service, {.id = id, .address = "10.0.0.1:" + std::to_string(port)}).value();
}

class AnnouncerTest : public testing::Test {
 protected:
  void RunFor(Duration duration) {
    loop_.restart();
    loop_.run_for(duration);
  }

  std::vector<std::pair<std::uint16_t, bool>> Told() const {
    std::vector<std::pair<std::uint16_t, bool>> told;
    for (const Sent& each : sent_) told.emplace_back(each.port, each.ttl > 0);
    return told;
  }

  boost::asio::io_context loop_;
  std::vector<Sent> sent_;
  Announcer announcer_{loop_,
                       [this](const Instance& instance, std::uint32_t ttl) {
                         sent_.push_back({instance.port, ttl, std::chrono::steady_clock::now()});
                       },
                       nullptr};
};

TEST_F(AnnouncerTest, AnnouncesAtOnceAndAgainAfterASecondAtLeast) {
  announcer_.Put(At(1), 0s);
  ASSERT_EQ(sent_.size(), 1U);
  RunFor(3500ms);
  ASSERT_EQ(sent_.size(), 3U);
  EXPECT_GE(sent_[1].at - sent_[0].at, 1s);
  EXPECT_GE(sent_[2].at - sent_[1].at, 2s);
}

TEST_F(AnnouncerTest, RapidChangesAreAnnouncedOnceASecondAsTheyAreThen) {
  for (int port = 1; port <= 100; ++port) announcer_.Put(At(port), 0s);
  EXPECT_EQ(announcer_.instances()[0]->port, 100) << "answers are right at once";
  RunFor(1200ms);
  EXPECT_EQ(Told(),
            (std::vector<std::pair<std::uint16_t, bool>>{{1, true}, {1, false}, {100, true}}));
  EXPECT_GE(sent_.back().at - sent_.front().at, 1s);
}

TEST_F(AnnouncerTest, AGoodbyeDoesNotWaitAndIsOfWhatWasAnnounced) {
  announcer_.Put(At(1), 0s);
  announcer_.Put(At(2), 0s);
  announcer_.Remove(At(1).instance);
  EXPECT_EQ(Told(), (std::vector<std::pair<std::uint16_t, bool>>{{1, true}, {1, false}}));
  RunFor(1200ms);
  EXPECT_EQ(sent_.size(), 2U);
}

TEST_F(AnnouncerTest, WhoComesAndGoesIsAnnouncedOnceASecondToo) {
  for (int i = 0; i < 100; ++i) {
    announcer_.Put(At(1), 0s);
    announcer_.Remove(At(1).instance);
  }
  announcer_.Put(At(1), 0s);
  RunFor(1200ms);
  EXPECT_EQ(std::ranges::count_if(sent_, [](const Sent& each) { return each.ttl > 0; }), 2);
  EXPECT_GT(sent_.back().ttl, 0U);
}

TEST_F(AnnouncerTest, NewInterfacesHearOfEveryNode) {
  announcer_.Put(At(1, "a"), 0s);
  announcer_.Put(At(2, "b"), 0s);
  RunFor(1200ms);
  sent_.clear();
  RunFor(900ms);
  announcer_.AnnounceAll();
  announcer_.AnnounceAll();
  RunFor(100ms);
  EXPECT_EQ(Told(), (std::vector<std::pair<std::uint16_t, bool>>{{1, true}, {2, true}}));
}

}  // namespace
}  // namespace micro::mdns
