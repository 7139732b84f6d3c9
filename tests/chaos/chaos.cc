#include "chaos.h"

#include <csignal>

namespace micro::testing {
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RegistryConformance);  // only its Eventually is used
}  // namespace micro::testing

namespace micro::chaos {
namespace {

Task<Status> LookOnce(std::string name, Service& caller, Duration timeout, Load::Record& record) {
  testee::TestClient client(name, caller.client());
  CallInfo info;
  const auto reply = co_await client.LookAsync({}, {.timeout = timeout, .info = &info});
  record.node = info.node.address;
  if (!reply) co_return Failure(reply.error());
  co_return Ok();
}

Task<Status> CallOnce(std::string name, Service& caller, Duration timeout, Load::Record& record) {
  testee::TestClient client(name, caller.client());
  CallInfo info;
  const auto reply = co_await client.CallAsync({}, {.timeout = timeout, .info = &info});
  record.node = info.node.address;
  if (!reply) co_return Failure(reply.error());
  co_return Ok();
}

Task<Status> StreamOnce(std::string name, Service& caller) {
  testee::StreamsClient client(name, caller.client());
  testee::Request request;
  request.set_big_number(5);
  auto reader = client.ExpandAsync(request, {.timeout = 30s});
  int count = 0;
  while (auto response = co_await reader.Read()) ++count;
  Status status = co_await reader.Finish();
  if (status && count != 5) co_return Fails(Code::kDataLoss, "a stream has ended early");
  co_return status;
}

}  // namespace

void FleetTest::SetUp() {
  if (GetParam() == "etcd") return BeginWithEtcd();
  Begin("mdns", {"127.0.0.1"});
}

void FleetTest::BeginWithEtcd() {
  if (!EtcdServer::Installed()) GTEST_SKIP() << "etcd or etcdctl is not installed";
  etcd_.Start();
  Begin("etcd", {etcd_.address()});
}

void FleetTest::Begin(const std::string& registry, const std::vector<std::string>& address) {
  node_environment_ = {"MICRO_SERVER_NAME=" + name_, "MICRO_REGISTRY=" + registry};
  node_environment_.push_back("MICRO_REGISTRY_ADDRESS=" + address.front());
  caller_options_.name = "chaos.caller";
  caller_options_.registry = registry;
  caller_options_.registry_address = address;
  caller_options_.loops = 1;
  caller_ = std::make_unique<Service>(caller_options_);
  ASSERT_TRUE(caller_->status());
}

void FleetTest::StartAll(int nodes) {
  nodes_.resize(static_cast<std::size_t>(nodes));
  addresses_.resize(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) Start(i);
  ASSERT_TRUE(Finds(nodes_.size()));
}

void FleetTest::Start(std::size_t index) {
  nodes_[index] =
      std::make_unique<Child>("chaos-node", std::vector<std::string>{}, node_environment_);
  addresses_[index] = nodes_[index]->After("listening on ");
  ASSERT_NE(addresses_[index], "") << nodes_[index]->output();
}

void FleetTest::Terminate(std::size_t index) {
  nodes_[index]->Signal(SIGTERM);
  EXPECT_EQ(nodes_[index]->Wait(), 0) << nodes_[index]->output();
}

void FleetTest::Kill(std::size_t index) {
  nodes_[index]->Signal(SIGKILL);
  nodes_[index]->Wait();
}

bool FleetTest::Finds(std::size_t nodes) {
  return Eventually([&] {
    const auto found = caller_->registry().GetService(name_);
    return found && found->size() == 1 && found->front().nodes.size() == nodes;
  });
}

Load::OneCall FleetTest::Looks(Duration timeout) {
  return
      [this, timeout](Load::Record& record) { return LookOnce(name_, *caller_, timeout, record); };
}

Load::OneCall FleetTest::Calls(Duration timeout) {
  return
      [this, timeout](Load::Record& record) { return CallOnce(name_, *caller_, timeout, record); };
}

Load::OneCall FleetTest::Streams() {
  return [this](Load::Record& /*record*/) { return StreamOnce(name_, *caller_); };
}

}  // namespace micro::chaos
