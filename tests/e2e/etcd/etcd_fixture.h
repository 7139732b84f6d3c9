#pragma once

#include "etcd/etcd_server.h"
#include "fleet.h"
#include "registry/etcd/etcd.h"
#include "transport/grpc/grpc.h"

namespace micro::e2e {

/// A registry in an etcd at `servers`.
inline std::shared_ptr<Registry> MakeEtcd(RegistryConfig config) {
  auto made = MakeEtcdRegistry(config, MakeGrpcTransport);
  EXPECT_TRUE(made) << made.error().ToString();
  return made.value_or(nullptr);
}

inline ServiceInfo OneNode(const std::string& service, const std::string& id,
                           const std::string& address = "127.0.0.1:9000") {
  return {.name = service,
          .version = "latest",
          .nodes = {{.id = service + "-" + id, .address = address}}};
}

/// Tests with an etcd of their own, which is down until it is started.
class EtcdTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!EtcdServer::Installed()) GTEST_SKIP() << "etcd or etcdctl is not installed";
  }

  RegistryConfig Config(const EtcdServer& server) const {
    return {.addresses = {server.address()}, .logger = log_, .timeout = 2s};
  }
  std::shared_ptr<Registry> Make() const { return MakeEtcd(Config(etcd_)); }

  static bool Finds(Registry& registry, const std::string& service, std::size_t nodes) {
    return Eventually([&] {
      const auto found = registry.GetService(service);
      return found ? found->size() == 1 && found->front().nodes.size() == nodes : nodes == 0;
    });
  }

  EtcdServer etcd_;
  std::shared_ptr<LogLines> log_ = std::make_shared<LogLines>();
};

}  // namespace micro::e2e
