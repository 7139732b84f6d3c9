#include "fleet.h"

namespace micro::e2e {
namespace {

class OverloadTest : public FleetTest {
 protected:
  // Keeps `count` calls waiting in a service for Gate.
  void Fill(int count, const ServiceOptions& options) {
    Serve(Blocking([this](Context&, const Request& request) -> Reply {
            if (request.name() == "stay") {
              ++entered_;
              gate_.Wait();
            }
            return Response();
          }),
          options);
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this] { EXPECT_TRUE(Call(Named("stay"), {.timeout = 60s})); });
      // The first one has left the queue before others come.
      if (i == 0) {
        EXPECT_TRUE(Eventually([&] { return entered_ == 1; }));
      }
    }
  }
  ~OverloadTest() override { gate_.Open(); }

  std::atomic<int> entered_ = 0;
  const Gate gate_;
  std::vector<std::jthread> threads_;
};
INSTANTIATE_TEST_SUITE_P(Transports, OverloadTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(OverloadTest, CallsBeyondTheLimitAreRefusedUnserved) {
  ServiceOptions options = Options();
  options.max_in_flight = 3;
  caller();
  Fill(3, options);
  ASSERT_TRUE(Eventually([&] { return entered_ == 3; }));
  const Error error = CallFails({});
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_EQ(error.detail(), "test serves 3 calls already (--max_in_flight)");
  EXPECT_EQ(error.retry_after(), 100ms);
  EXPECT_THAT(services_.front()->metrics().Text(),
              ::testing::HasSubstr("\nmicro_server_rejected_total{reason=\"in_flight\"} 1\n"));
  gate_.Open();
  threads_.clear();
  EXPECT_TRUE(Eventually([&] { return Call({}).has_value(); }));
}

TEST_P(OverloadTest, AFullWorkerQueueRefusesAtOnce) {
  ServiceOptions options = Options();
  options.worker_threads = 1;
  options.worker_queue = 2;
  caller();
  Fill(3, options);
  ASSERT_TRUE(Eventually([&] { return services_.front()->runtime().queued() == 2; }));
  const Error error = CallFails({});
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_NE(error.detail().find("--worker_queue"), std::string::npos) << error.detail();
  EXPECT_TRUE(error.retry_after());
  gate_.Open();
}

}  // namespace
}  // namespace micro::e2e
