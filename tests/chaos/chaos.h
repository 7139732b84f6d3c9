#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/micro.h>
#include <micro/testing/registry_conformance.h>

#include "child.h"
#include "etcd/etcd_server.h"
#include "load.h"
#include "testee.micro.h"

namespace micro::chaos {

using namespace std::chrono_literals;
using e2e::Child;
using e2e::EtcdServer;
using testing::Eventually;

inline TimePoint Now() { return std::chrono::steady_clock::now(); }

/// A fleet of processes of one service, found through a real registry, and a caller of theirs in
/// this process. The parameter of a test is the registry's name.
class FleetTest : public ::testing::TestWithParam<std::string> {
 protected:
  static constexpr int kNodes = 5;
  static constexpr int kPerSecond = 200;  // calls; the machine may be a busy one

  void SetUp() override;
  /// Starts an etcd, and finds nodes by it; skips the test where there is none.
  void BeginWithEtcd();
  void Begin(const std::string& registry, const std::vector<std::string>& address);

  /// Starts `nodes` of them, and waits until they can be found.
  void StartAll(int nodes = kNodes);
  /// Starts node `index` anew, and waits until it listens.
  void Start(std::size_t index);
  /// SIGTERM; it must end in peace.
  void Terminate(std::size_t index);
  /// SIGKILL.
  void Kill(std::size_t index);
  /// Whether somebody who asks the registry now finds `nodes` of them, in the end.
  bool Finds(std::size_t nodes);

  /// Calls that may be repeated; that may not; and streams.
  Load::OneCall Looks(Duration timeout = 30s);
  Load::OneCall Calls(Duration timeout = 30s);
  Load::OneCall Streams();
  Load Steady(Load::OneCall call) { return {caller_->runtime(), kPerSecond, std::move(call)}; }

  std::uint64_t Count(const std::string& counter) {
    return caller_->metrics().GetCounter(counter, "").value();
  }

  EtcdServer etcd_;
  std::string name_ = testing::UniqueServiceName("chaos");
  std::vector<std::string> node_environment_;
  std::vector<std::unique_ptr<Child>> nodes_;
  std::vector<std::string> addresses_;
  ServiceOptions caller_options_;
  std::unique_ptr<Service> caller_;
};

}  // namespace micro::chaos
