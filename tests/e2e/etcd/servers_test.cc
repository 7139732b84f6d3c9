#include <csignal>
#include <cstdlib>

#include "etcd/etcd_fixture.h"
#include "net/testing/ports.h"

// Several servers, those that want a password, and those behind TLS.
namespace micro::e2e {
namespace {

using net::testing::Ca;
using net::testing::DeadPort;
using net::testing::Folder;
using net::testing::FullPort;
using testing::ChangeLog;

TEST_F(EtcdTest, ServersThatAreAwayOrHangArePassedOver) {
  etcd_.Start();
  const DeadPort dead;
  const FullPort hangs;
  RegistryConfig config = Config(etcd_);
  config.addresses = {dead.address(), hangs.address(), etcd_.address()};
  for (int i = 0; i < 3; ++i) {  // whoever of them comes first
    const auto registry = MakeEtcd(config);
    const ServiceInfo service = OneNode("a", std::to_string(i));
    const Status registered = registry->Register(service, {.ttl = 1min});
    EXPECT_TRUE(registered) << registered.error().ToString();
    EXPECT_TRUE(Finds(*registry, "a", 1));
    EXPECT_TRUE(registry->Deregister(service));
  }
}

TEST_F(EtcdTest, WhenNoServerAnswersEachIsNamed) {
  const DeadPort one;
  const DeadPort two;
  const auto registry = MakeEtcd({.addresses = {one.address(), two.address()}});
  const auto found = registry->GetService("a");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kUnavailable);
  EXPECT_EQ(found.error().phase(), Phase::kResolve);
  for (const std::string& address : {one.address(), two.address()}) {
    EXPECT_NE(found.error().detail().find(address), std::string::npos) << found.error().detail();
  }
}

class EtcdClusterTest : public EtcdTest {
 protected:
  void SetUp() override {
    EtcdTest::SetUp();
    if (IsSkipped()) return;
    for (int i = 0; i < 3; ++i) members_.push_back(std::make_unique<EtcdServer>());
    EtcdServer::Join(members_);
    for (auto& member : members_) member->Start(false);
  }

  std::vector<std::unique_ptr<EtcdServer>> members_;
};

// The registry uses one of the first two; each is stopped for a while.
TEST_F(EtcdClusterTest, AMemberThatHangsIsLeftForAnother) {
  const auto registry = MakeEtcd({.addresses = {members_[0]->address(), members_[1]->address()},
                                  .logger = log_,
                                  .timeout = 4s});
  const auto witness = MakeEtcd({.addresses = {members_[2]->address()}});
  ASSERT_TRUE(Eventually([&] { return witness->ListServices().has_value(); }));
  ASSERT_TRUE(
      Eventually([&] { return registry->Register(OneNode("a", "0"), {.ttl = 1min}).has_value(); }));
  ChangeLog log;
  const auto watch = registry->Watch("a", log.watcher());
  for (int i = 0; i < 2; ++i) {
    members_[i]->Signal(SIGSTOP);
    const std::string id = std::to_string(i + 1);
    EXPECT_TRUE(
        Eventually([&] { return witness->Register(OneNode("a", id), {.ttl = 1min}).has_value(); }));
    EXPECT_TRUE(Eventually([&] {
      return registry->Register(OneNode("b", id), {.ttl = 1min}).has_value();
    })) << i;
    EXPECT_TRUE(log.WaitForCreate("a-" + id)) << i;
    EXPECT_TRUE(Finds(*witness, "a", 2U + static_cast<std::size_t>(i)));
    members_[i]->Signal(SIGCONT);
    ASSERT_TRUE(Eventually([&] { return members_[i]->Ctl("get x").empty(); }));
  }
}

class EtcdAuthTest : public EtcdTest {
 protected:
  void SetUp() override {
    EtcdTest::SetUp();
    if (IsSkipped()) return;
    etcd_.Start();
    etcd_.Ctl("user add root:sesame");
    etcd_.Ctl("user grant-role root root");
    ASSERT_TRUE(etcd_.Ctl("auth enable").contains("Enabled"));
  }
  RegistryConfig WithPassword(const std::string& password) const {
    RegistryConfig config = Config(etcd_);
    config.username = "root";
    config.password = password;
    return config;
  }
};

TEST_F(EtcdAuthTest, AUserWithItsPasswordIsLetIn) {
  const auto registry = MakeEtcd(WithPassword("sesame"));
  const auto other = MakeEtcd(WithPassword("sesame"));
  ChangeLog log;
  const auto watch = other->Watch("a", log.watcher());
  const Status registered = registry->Register(OneNode("a", "1"), {.ttl = 1min});
  ASSERT_TRUE(registered) << registered.error().ToString();
  EXPECT_TRUE(log.WaitForCreate("a-1"));
  EXPECT_TRUE(Finds(*other, "a", 1));
}

TEST_F(EtcdAuthTest, WithoutTheRightPasswordNothingGoesAndTheSecretStaysOne) {
  for (const auto& config : {WithPassword("open"), Config(etcd_)}) {
    const auto registry = MakeEtcd(config);
    const Status registered = registry->Register(OneNode("a", "1"), {.ttl = 1min});
    ASSERT_FALSE(registered);
    EXPECT_EQ(registered.error().code(), Code::kInvalidArgument) << registered.error().ToString();
    EXPECT_EQ(registered.error().detail().find("open"), std::string::npos);
    EXPECT_FALSE(registry->GetService("a"));
  }
  EXPECT_EQ(log_->Count("open") + log_->Count("sesame"), 0U);
}

// Its tokens are gone with it.
TEST_F(EtcdAuthTest, AfterARestartOfEtcdEverybodyLogsInAgain) {
  const auto registry = MakeEtcd(WithPassword("sesame"));
  ChangeLog log;
  const auto watch = registry->Watch("a", log.watcher());
  ASSERT_TRUE(registry->Register(OneNode("a", "1"), {.ttl = 1min}));
  ASSERT_TRUE(log.WaitForCreate("a-1"));
  etcd_.Kill();
  etcd_.Start();
  EXPECT_TRUE(Finds(*registry, "a", 1));
  ASSERT_TRUE(registry->Register(OneNode("a", "2"), {.ttl = 1min}));
  EXPECT_TRUE(log.WaitForCreate("a-2"));
}

TEST_F(EtcdAuthTest, EtcdsOwnVariablesAreRead) {
  ::setenv("ETCD_USERNAME", "root", 1);
  ::setenv("ETCD_PASSWORD", "sesame", 1);
  const auto registry = Make();
  ::unsetenv("ETCD_USERNAME");
  ::unsetenv("ETCD_PASSWORD");
  EXPECT_TRUE(registry->Register(OneNode("a", "1"), {.ttl = 1min}));
}

TEST_F(EtcdTest, AnEtcdThatWantsNoPasswordTakesThoseWhoHaveOne) {
  etcd_.Start();
  RegistryConfig config = Config(etcd_);
  config.username = "root";
  config.password = "sesame";
  const Status registered = MakeEtcd(config)->Register(OneNode("a", "1"), {.ttl = 1min});
  EXPECT_TRUE(registered) << registered.error().ToString();
}

class EtcdTlsTest : public EtcdTest {
 protected:
  EtcdTlsTest() {
    ca_.Write(files_ / "ca.pem");
    ca_.Issue(files_ / "etcd.pem", files_ / "etcd.key", "IP:127.0.0.1,DNS:etcd.internal");
    ca_.Issue(files_ / "us.pem", files_ / "us.key", "");
    Ca("Another CA").Write(files_ / "other.pem");
  }

  RegistryConfig Secured(const EtcdServer& server) const {
    RegistryConfig config = Config(server);
    config.tls_ca = files_ / "ca.pem";
    return config;
  }
  std::vector<std::string> Certificate() const {
    return {"--cert-file=" + (files_ / "etcd.pem"), "--key-file=" + (files_ / "etcd.key")};
  }

  const Folder files_;
  const Ca ca_;
};

TEST_F(EtcdTlsTest, ACertificateOfOurCaIsTakenAndNoOther) {
  EtcdServer etcd(Certificate(), "https");
  etcd.Start();
  const auto registry = MakeEtcd(Secured(etcd));
  EXPECT_TRUE(
      Eventually([&] { return registry->Register(OneNode("a", "1"), {.ttl = 1min}).has_value(); }));
  EXPECT_TRUE(Finds(*registry, "a", 1));
  RegistryConfig named = Secured(etcd);
  named.tls_server_name = "etcd.internal";
  EXPECT_TRUE(MakeEtcd(named)->GetService("a"));
  RegistryConfig misnamed = Secured(etcd);
  misnamed.tls_server_name = "db.internal";
  RegistryConfig mistrusted = Secured(etcd);
  mistrusted.tls_ca = files_ / "other.pem";
  RegistryConfig system = Config(etcd);
  system.addresses = {"https://" + etcd.address()};
  for (const RegistryConfig& config : {misnamed, mistrusted, system}) {
    const auto found = MakeEtcd(config)->GetService("a");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Code::kUnavailable);
    EXPECT_TRUE(found.error().detail().contains("certificate")) << found.error().detail();
  }
}

TEST_F(EtcdTlsTest, EtcdMayWantToSeeOurs) {
  std::vector<std::string> arguments = Certificate();
  arguments.push_back("--client-cert-auth");
  arguments.push_back("--trusted-ca-file=" + (files_ / "ca.pem"));
  EtcdServer etcd(arguments, "https");
  etcd.Start();
  RegistryConfig config = Secured(etcd);
  EXPECT_FALSE(MakeEtcd(config)->ListServices());
  config.tls_cert = files_ / "us.pem";
  config.tls_key = files_ / "us.key";
  const auto registry = MakeEtcd(config);
  EXPECT_TRUE(Eventually([&] { return registry->ListServices().has_value(); }));
}

TEST(EtcdOptionsTest, WhatCannotBeUsedIsSaidInOptionsOfTheRegistry) {
  ServiceOptions options{.registry = "etcd", .registry_tls_ca = "/nowhere.pem"};
  EXPECT_TRUE(Service(options).status().error().detail().starts_with(
      "--registry_tls_ca: cannot read /nowhere.pem"));
  options = {.registry = "etcd", .registry_tls_cert = "/nowhere.pem"};
  EXPECT_EQ(Service(options).status().error().detail(),
            "--registry_tls_cert needs its --registry_tls_key");
  options = {.registry = "etcd", .registry_address = {"etcd:port"}};
  EXPECT_TRUE(Service(options).status().error().detail().starts_with("--registry_address: "));
  options = {.registry = "etcd", .registry_timeout = 0s};
  EXPECT_TRUE(Service(options).status().error().detail().starts_with("--registry_timeout: "));
}

}  // namespace
}  // namespace micro::e2e
