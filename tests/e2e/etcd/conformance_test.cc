#include "etcd/etcd_fixture.h"

namespace micro::testing {

// What every registry has to do, with an etcd for each test.
struct EtcdRegistries {
  EtcdRegistries() { Begin(); }
  std::shared_ptr<Registry> Make() { return e2e::MakeEtcd({.addresses = {etcd.address()}}); }
  void Begin() {
    if (!e2e::EtcdServer::Installed()) GTEST_SKIP() << "etcd or etcdctl is not installed";
    etcd.Start();
  }
  e2e::EtcdServer etcd;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Etcd, RegistryConformance, EtcdRegistries);

}  // namespace micro::testing
