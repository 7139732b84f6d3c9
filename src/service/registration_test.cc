#include "service/registration.h"

#include <atomic>

#include <gtest/gtest.h>

#include "micro/testing/registry_conformance.h"

namespace micro::service {
namespace {

using namespace std::chrono_literals;
using micro::testing::Eventually;

// A registry that may be away, and counts what it is asked for.
class FlakyRegistry final : public Registry {
 public:
  std::string_view name() const override { return "flaky"; }
  Status Register(const ServiceInfo& /*service*/, const RegisterOptions& /*options*/) override {
    ++asked;
    return away ? Status(Unavailable("it is away")) : Ok();
  }
  Status Deregister(const ServiceInfo& /*service*/) override { return Ok(); }
  Result<std::vector<ServiceInfo>> GetService(std::string_view /*service*/) override { return {}; }
  Result<std::vector<ServiceInfo>> ListServices() override { return {}; }
  Result<Subscription> Watch(std::string_view /*service*/, Watcher /*watcher*/) override {
    return Subscription();
  }

  std::atomic<bool> away = false;
  std::atomic<int> asked = 0;
};

class Lines final : public Logger {
 public:
  bool Enabled(LogLevel /*level*/) const override { return true; }
  void Write(LogLevel /*level*/, std::string_view message) override {
    const std::scoped_lock lock(mutex_);
    lines_.emplace_back(message);
  }
  std::vector<std::string> lines() const {
    const std::scoped_lock lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class RegistrationTest : public ::testing::Test {
 protected:
  std::unique_ptr<Registration> Make(Duration interval) {
    const ServiceInfo service{.name = "a", .nodes = {{.id = "a-1", .address = "127.0.0.1:1"}}};
    return std::make_unique<Registration>(registry_, service, 1min, interval, log_);
  }

  std::shared_ptr<FlakyRegistry> registry_ = std::make_shared<FlakyRegistry>();
  Lines log_;
};

TEST_F(RegistrationTest, ThatSucceedsIsRenewedAndNotSpokenOf) {
  const auto registration = Make(1ms);
  EXPECT_TRUE(Eventually([&] { return registry_->asked >= 5; }));
  EXPECT_TRUE(log_.lines().empty());
}

TEST_F(RegistrationTest, IsTriedAgainWhileTheRegistryIsAwayAndSpokenOfOnce) {
  registry_->away = true;
  const auto registration = Make(1ms);
  ASSERT_TRUE(Eventually([&] { return registry_->asked >= 5; }));
  ASSERT_EQ(log_.lines().size(), 1U);
  EXPECT_NE(log_.lines()[0].find("cannot register with flaky"), std::string::npos);
  EXPECT_NE(log_.lines()[0].find("it is away"), std::string::npos);
  registry_->away = false;
  ASSERT_TRUE(Eventually([&] { return log_.lines().size() == 2; }));
  EXPECT_EQ(log_.lines()[1], "registered with flaky");
}

TEST_F(RegistrationTest, WithoutAnIntervalIsTriedUntilItSucceeds) {
  registry_->away = true;
  const auto registration = Make(0s);
  registry_->away = false;
  ASSERT_TRUE(Eventually([&] { return log_.lines().size() == 2; }));
  EXPECT_EQ(registry_->asked, 2);
}

TEST_F(RegistrationTest, AnOutageLaterIsSpokenOfToo) {
  const auto registration = Make(1ms);
  for (std::size_t outage = 1; outage <= 2; ++outage) {
    registry_->away = true;
    ASSERT_TRUE(Eventually([&] { return log_.lines().size() == 2 * outage - 1; }));
    registry_->away = false;
    ASSERT_TRUE(Eventually([&] { return log_.lines().size() == 2 * outage; }));
  }
}

}  // namespace
}  // namespace micro::service
