// Groups of which one member gets each message.
#include <algorithm>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "server_process.h"

namespace micro::natsd::testing {
namespace {

std::string Messages(int count, const std::string& subject = "work") {
  std::string all;
  for (int i = 0; i < count; ++i) all += "PUB " + subject + " 1\r\nx\r\n";
  return all;
}

// How many messages are in what a wire has received.
int CountIn(const std::string& frames) {
  return static_cast<int>(std::count(frames.begin(), frames.end(), 'x'));
}

std::vector<Wire> Members(const ServerProcess& server, int count, const std::string& subscription) {
  std::vector<Wire> members;
  for (int i = 0; i < count; ++i) {
    members.push_back(server.Client());
    members.back().Send(subscription);
    members.back().Sync();
  }
  return members;
}

std::vector<int> Counts(std::vector<Wire>& members) {
  std::vector<int> counts;
  for (Wire& member : members) counts.push_back(CountIn(member.Sync()));
  return counts;
}

int Sum(const std::vector<int>& counts) { return std::accumulate(counts.begin(), counts.end(), 0); }

TEST(QueueTest, OneMemberGetsEachMessage) {
  const ServerProcess server;
  auto members = Members(server, 2, "SUB work q 1\r\n");
  Wire publisher = server.Client();
  publisher.Send(Messages(1000));
  publisher.Sync();
  const auto counts = Counts(members);
  EXPECT_EQ(Sum(counts), 1000);
  EXPECT_GE(std::ranges::min(counts), 350);
}

TEST(QueueTest, MembersOfOneConnectionCountEach) {
  const ServerProcess server;
  Wire wire = server.Client();
  wire.Send("SUB work q 1\r\nSUB work q 2\r\nSUB work q 3\r\n" + Messages(300));
  EXPECT_EQ(CountIn(wire.Sync()), 300);
}

TEST(QueueTest, NoMemberGetsMuchMoreThanOthers) {
  const ServerProcess server;
  auto members = Members(server, 12, "SUB work q 1\r\n");
  Wire publisher = server.Client();
  publisher.Send(Messages(10000));
  publisher.Sync();
  const auto counts = Counts(members);
  EXPECT_EQ(Sum(counts), 10000);
  EXPECT_LE(std::ranges::max(counts), 10000 / 12 * 13 / 10);
}

TEST(QueueTest, EveryGroupAndEveryPlainSubscriberGetsACopy) {
  const ServerProcess server;
  auto first = Members(server, 2, "SUB work one 1\r\n");
  auto second = Members(server, 3, "SUB work two 1\r\n");
  auto plain = Members(server, 2, "SUB work 1\r\n");
  Wire publisher = server.Client();
  publisher.Send(Messages(60));
  publisher.Sync();
  EXPECT_EQ(Sum(Counts(first)), 60);
  EXPECT_EQ(Sum(Counts(second)), 60);
  EXPECT_EQ(Counts(plain), (std::vector{60, 60}));
}

TEST(QueueTest, PatternsOfOneNameAreOneGroup) {
  const ServerProcess server;
  auto literal = Members(server, 1, "SUB work.a q 1\r\n");
  auto star = Members(server, 1, "SUB work.* q 1\r\n");
  auto rest = Members(server, 1, "SUB > q 1\r\n");
  Wire publisher = server.Client();
  publisher.Send(Messages(300, "work.a"));
  publisher.Sync();
  EXPECT_EQ(Sum(Counts(literal)) + Sum(Counts(star)) + Sum(Counts(rest)), 300);
}

TEST(QueueTest, WhoLeavesLeavesItsShareToTheOthers) {
  const ServerProcess server;
  auto members = Members(server, 3, "SUB work q 1\r\n");
  members[0].Send("UNSUB 1\r\n");
  members[0].Sync();
  Wire publisher = server.Client();
  publisher.Send(Messages(90));
  publisher.Sync();
  const auto counts = Counts(members);
  EXPECT_EQ(counts[0], 0);
  EXPECT_EQ(Sum(counts), 90);
}

}  // namespace
}  // namespace micro::natsd::testing
