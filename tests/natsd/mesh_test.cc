// Servers that know each other, ours and Debian's nats-server mixed: every message arrives once.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server_process.h"

namespace micro::natsd::testing {
namespace {

using namespace std::chrono_literals;

constexpr const char* kClient =
    R"({"verbose":false,"pedantic":false,"headers":true,"no_responders":true})";

// Which make each of three nodes is of. Those after the first dial the first, and hear of each
// other from it.
struct Makes {
  const char* name;
  std::vector<bool> ours;
};

class MeshTest : public ::testing::TestWithParam<Makes> {
 protected:
  void SetUp() override {
    const bool mixed = std::ranges::count(GetParam().ours, false) > 0;
    if (mixed && !TheirProgram()) GTEST_SKIP() << "nats-server is not installed";
    for (std::size_t i = 0; i < GetParam().ours.size(); ++i) nodes_.push_back(Start(i, -1));
    AwaitMesh();
  }

  std::unique_ptr<ServerProcess> Start(std::size_t number, int route_port) {
    const std::string routes = number == 0 ? "" : ", routes: [\"" + nodes_[0]->route_url() + "\"]";
    const std::string listen = "listen: \"127.0.0.1:" + std::to_string(route_port) + "\"";
    return std::make_unique<ServerProcess>(
        "cluster { name: mesh, " + listen + routes + " }\n",
        ServerProcess::Options{.program = GetParam().ours[number] ? "" : *TheirProgram()});
  }

  Wire Client(std::size_t node) { return nodes_[node]->Client(kClient); }

  // Until what is published at one node comes out at the other.
  void AwaitInterest(std::size_t from, std::size_t to) {
    Wire out = Client(to), in = Client(from);
    const std::string subject = "probe." + std::to_string(++probes_);
    out.Send("SUB " + subject + " 1\r\n");
    out.Sync();
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < until) {
      in.Send("PUB " + subject + " 0\r\n\r\n");
      in.Sync();
      if (!out.Sync().empty()) return;
      std::this_thread::sleep_for(5ms);
    }
    FAIL() << "node " << to << " hears nothing of node " << from;
  }
  // A later interest is known where an earlier one is, as each server tells in order.
  void AwaitMesh() {
    for (std::size_t from = 0; from < nodes_.size(); ++from) {
      for (std::size_t to = 0; to < nodes_.size(); ++to) {
        if (from != to) AwaitInterest(from, to);
      }
    }
  }

  std::vector<Wire> Subscribe(const std::string& what, int each) {
    std::vector<Wire> wires;
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      for (int i = 0; i < each; ++i) {
        wires.push_back(Client(node));
        wires.back().Send(what);
        wires.back().Sync();
      }
    }
    AwaitMesh();
    return wires;
  }

  // `count` messages at each node, all of them different.
  void Publish(const std::string& subject, int count) {
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      Wire wire = Client(node);
      std::string all;
      for (int i = 0; i < count; ++i) {
        const std::string payload =
            std::to_string(1'000'000 * (node + 1) + static_cast<std::size_t>(i));
        all += "PUB " + subject + " 7\r\n" + payload + "\r\n";
      }
      wire.Send(all);
      wire.Sync();
    }
    published_ += static_cast<int>(nodes_.size()) * count;
  }

  // Adds what a wire gets to `seen` until there is `enough`, or nothing comes for long.
  void Collect(Wire& wire, std::map<std::string, int>& seen, int enough) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (Total(seen) < enough && std::chrono::steady_clock::now() < until) Add(wire.Sync(), seen);
    Add(wire.Sync(), seen);
  }
  static void Add(const std::string& frames, std::map<std::string, int>& seen) {
    for (std::size_t at = frames.find("\r\n"); at != std::string::npos;) {
      ++seen[frames.substr(at + 2, 7)];
      const auto next = frames.find("\r\n", at + 2);
      at = next == std::string::npos ? next : frames.find("\r\n", next + 2);
    }
  }
  static int Total(const std::map<std::string, int>& seen) {
    int total = 0;
    for (const auto& [payload, times] : seen) total += times;
    return total;
  }
  static bool OnceEach(const std::map<std::string, int>& seen) {
    return std::ranges::all_of(seen, [](const auto& entry) { return entry.second == 1; });
  }

  std::vector<std::unique_ptr<ServerProcess>> nodes_;
  int published_ = 0;
  int probes_ = 0;
};

TEST_P(MeshTest, EveryMessageReachesEverySubscriberOnce) {
  auto wires = Subscribe("SUB orders.* 1\r\n", 1);
  Publish("orders.new", 1000);
  for (Wire& wire : wires) {
    std::map<std::string, int> seen;
    Collect(wire, seen, published_);
    EXPECT_EQ(seen.size(), 3000U);
    EXPECT_TRUE(OnceEach(seen));
  }
}

TEST_P(MeshTest, AGroupSharesTheWorkOfAllNodes) {
  auto wires = Subscribe("SUB work q 1\r\n", 4);
  Publish("work", 4000);
  std::map<std::string, int> all;
  std::vector<int> counts(wires.size());
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (Total(all) < published_ && std::chrono::steady_clock::now() < until) {
    for (std::size_t i = 0; i < wires.size(); ++i) {
      std::map<std::string, int> seen;
      Add(wires[i].Sync(), seen);
      counts[i] += Total(seen);
      for (const auto& [payload, times] : seen) all[payload] += times;
    }
  }
  EXPECT_EQ(all.size(), 12000U);
  EXPECT_TRUE(OnceEach(all));
  EXPECT_LE(std::ranges::max(counts), 1300);
}

TEST_P(MeshTest, WhatIsNoLongerWantedIsNotSent) {
  auto wires = Subscribe("SUB wanted 1\r\n", 1);
  for (Wire& wire : wires) {
    wire.Send("UNSUB 1\r\n");
    wire.Sync();
  }
  AwaitMesh();
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    Wire asker = Client(node);
    asker.Send("SUB reply 1\r\nPUB wanted reply 0\r\n\r\n");
    EXPECT_NE(asker.Sync().find("503"), std::string::npos) << node;
  }
}

TEST_P(MeshTest, ANodeThatDiesAndComesBackIsPartOfItAgain) {
  auto wires = Subscribe("SUB news 1\r\n", 1);
  const std::uint16_t port = nodes_[0]->route_port();
  nodes_[0]->Kill();
  wires.erase(wires.begin());
  {
    // The two that are left know each other.
    Wire publisher = Client(1);
    publisher.Send("PUB news 7\r\n0000001\r\n");
    publisher.Sync();
    for (Wire& wire : wires) {
      std::map<std::string, int> seen;
      Collect(wire, seen, 1);
      EXPECT_EQ(Total(seen), 1);
    }
  }
  nodes_[0] = Start(0, port);
  AwaitMesh();
  wires.insert(wires.begin(), Client(0));
  wires[0].Send("SUB news 1\r\n");
  wires[0].Sync();
  AwaitMesh();
  Publish("news", 100);
  for (Wire& wire : wires) {
    std::map<std::string, int> seen;
    Collect(wire, seen, published_);
    EXPECT_EQ(seen.size(), 300U);
    EXPECT_TRUE(OnceEach(seen));
  }
}

INSTANTIATE_TEST_SUITE_P(All, MeshTest,
                         ::testing::Values(Makes{"Ours", {true, true, true}},
                                           Makes{"OursFirst", {true, false, true}},
                                           Makes{"TheirsFirst", {false, true, false}},
                                           Makes{"TheirsDialOurs", {true, false, false}},
                                           Makes{"OursDialTheirs", {false, true, true}}),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace micro::natsd::testing
