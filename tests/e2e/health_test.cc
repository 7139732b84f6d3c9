#include <future>

#include "fleet.h"
#include "grpc/health/v1/health.micro.h"

namespace micro::e2e {
namespace {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

HealthCheckRequest Of(std::string service) {
  HealthCheckRequest request;
  request.set_service(std::move(service));
  return request;
}

class HealthTest : public FleetTest {
 protected:
  ::grpc::health::v1::HealthClient health() { return {"test", caller().client()}; }
  // The status, or how asking for it failed.
  std::string Check(const std::string& service) {
    const auto response = health().Check(Of(service));
    if (!response) return std::string(ToString(response.error().code()));
    return HealthCheckResponse::ServingStatus_Name(response->status());
  }
  static std::string Next(ClientReader<HealthCheckResponse>& watch) {
    const auto response = watch.Read();
    return response ? HealthCheckResponse::ServingStatus_Name(response->status()) : "the end";
  }
};
INSTANTIATE_TEST_SUITE_P(Transports, HealthTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(HealthTest, AServerAndItsHandlersServe) {
  Serve(Blocking(Echo));
  EXPECT_EQ(Check(""), "SERVING");
  EXPECT_EQ(Check("testee.Test"), "SERVING");
  EXPECT_EQ(Check("testee.Streams"), "NOT_FOUND");
}

TEST_P(HealthTest, WhatIsSetIsTold) {
  Service& service = Serve(Blocking(Echo));
  service.health().Set("testee.Test", false);
  service.health().Set("the database", true);
  EXPECT_EQ(Check("testee.Test"), "NOT_SERVING");
  EXPECT_EQ(Check("the database"), "SERVING");
  EXPECT_EQ(Check(""), "SERVING");
  EXPECT_EQ(service.health().Get("testee.Test"), false);
  EXPECT_EQ(service.health().Get("nobody"), std::nullopt);
}

TEST_P(HealthTest, EverythingIsListed) {
  Service& service = Serve(Blocking(Echo));
  service.health().Set("the database", false);
  const auto list = health().List({});
  ASSERT_TRUE(list) << list.error().ToString();
  ASSERT_EQ(list->statuses_size(), 3);
  EXPECT_EQ(list->statuses().at("").status(), HealthCheckResponse::SERVING);
  EXPECT_EQ(list->statuses().at("testee.Test").status(), HealthCheckResponse::SERVING);
  EXPECT_EQ(list->statuses().at("the database").status(), HealthCheckResponse::NOT_SERVING);
}

TEST_P(HealthTest, AWatchTellsEveryChange) {
  Service& service = Serve(Blocking(Echo));
  auto watch = health().Watch(Of("the database"));
  EXPECT_EQ(Next(watch), "SERVICE_UNKNOWN");
  service.health().Set("the database", true);
  EXPECT_EQ(Next(watch), "SERVING");
  service.health().Set("the database", true);  // no change
  service.health().Set("the database", false);
  EXPECT_EQ(Next(watch), "NOT_SERVING");
}

TEST_P(HealthTest, ManyWatchesHoldNoThread) {
  ServiceOptions options = Options();
  options.worker_threads = 1;
  Service& service = Serve(Blocking(Echo), options);
  std::vector<ClientReader<HealthCheckResponse>> watches;
  for (int i = 0; i < 100; ++i) watches.push_back(health().Watch(Of("")));
  for (auto& watch : watches) EXPECT_EQ(Next(watch), "SERVING");
  EXPECT_EQ(Call(Named("all"))->text(), "Hello all");
  service.health().Set("", false);
  for (auto& watch : watches) EXPECT_EQ(Next(watch), "NOT_SERVING");
}

TEST_P(HealthTest, AWatchThatIsCancelledIsForgotten) {
  Service& service = Serve(Blocking(Echo));
  {
    auto watch = health().Watch(Of(""));
    EXPECT_EQ(Next(watch), "SERVING");
  }
  service.health().Set("", false);
  Stop(service);  // would wait for it
}

// The order of a stop: first the word goes out, then the registry forgets, then calls drain.
TEST_P(HealthTest, WatchesHearOfAStopAndDoNotHoldItUp) {
  const Gate gate;
  std::promise<void> entered;
  Service& service = Serve(Blocking([&, gate](Context& context, const Request& request) {
    entered.set_value();
    gate.Wait();
    return Echo(context, request);
  }));
  auto watch = health().Watch(Of("testee.Test"));
  EXPECT_EQ(Next(watch), "SERVING");
  auto slow = std::async(std::launch::async, [&] { return Call(Named("slow")); });
  entered.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { service.Stop(); });
  EXPECT_EQ(Next(watch), "NOT_SERVING");
  EXPECT_EQ(Next(watch), "the end");
  EXPECT_EQ(watch.Finish().error().code(), Code::kUnavailable);
  EXPECT_EQ(service.health().Get(""), false);
  gate.Open();
  stopped.get();
  const auto reply = slow.get();
  EXPECT_TRUE(reply) << reply.error().ToString();
}

TEST_P(HealthTest, NothingServesBeforeTheStartAndAgainAfterASecondOne) {
  Service& service = Make(Options());
  service.Handle(Blocking(Echo));
  EXPECT_EQ(service.health().Get(""), false);
  ASSERT_TRUE(service.Start());
  EXPECT_EQ(service.health().Get(""), true);
  service.Stop();
  EXPECT_EQ(service.health().Get("testee.Test"), false);
  ASSERT_TRUE(service.Start());
  EXPECT_EQ(service.health().Get("testee.Test"), true);
}

TEST_P(HealthTest, TheRegistryShowsOnlyWhatTheProgramServes) {
  Service& service = Serve(Blocking(Echo));
  const auto found = service.registry().GetService("test");
  ASSERT_TRUE(found) << found.error().ToString();
  for (const ServiceInfo& info : *found) {
    for (const Endpoint& endpoint : info.endpoints) EXPECT_TRUE(endpoint.name.starts_with("Test."));
  }
}

// A program's own takes the place of ours.
struct OwnHealth final : ::grpc::health::v1::HealthHandler {
  Result<HealthCheckResponse> Check(Context&, const HealthCheckRequest&) override {
    HealthCheckResponse response;
    response.set_status(HealthCheckResponse::NOT_SERVING);
    return response;
  }
};

TEST_P(HealthTest, AProgramMayServeItsOwn) {
  Serve(std::make_shared<OwnHealth>());
  EXPECT_EQ(Check("anything"), "NOT_SERVING");
}

}  // namespace
}  // namespace micro::e2e
