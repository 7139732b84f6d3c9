#include "fleet.h"
#include "socket.h"
#include "web/http_peer.h"

// What a service shows of the services that it calls.
namespace micro::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DiscoveryPageTest : public GrpcFleetTest {
 protected:
  // A service that calls others.
  Service& Front(bool metrics = true) {
    ServiceOptions options = Options("front");
    options.metrics = metrics;
    return Serve(Blocking(Echo), options);
  }
  static HttpAnswer Get(const Service& service, const std::string& path) {
    return HttpPeer(service.address()).Ask("GET", path);
  }
};

TEST_F(DiscoveryPageTest, ItShowsTheNodesAndHowTheyCameToBeKnown) {
  const std::string address = Serve(Blocking(Echo)).address();
  Service& front = Front();
  EXPECT_EQ(Get(front, "/debug/discovery").body, "no service was called yet\n");
  const testee::TestClient test("test", front.client());
  ASSERT_TRUE(test.Call({}, {.timeout = 60s}));
  const HttpAnswer page = Get(front, "/debug/discovery");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("test: 1 node by watch, looked up"));
  EXPECT_THAT(page.body, HasSubstr(address));
  EXPECT_THAT(page.body, HasSubstr("0      in use\n"));
  const HttpAnswer json = Get(front, "/debug/discovery.json");
  EXPECT_EQ(json.Get("content-type"), "application/json");
  EXPECT_THAT(json.body, HasSubstr("\"address\": \"" + address + "\""));
}

TEST_F(DiscoveryPageTest, ItSaysWhyANodeIsLeftAlone) {
  Service& front = Front();
  const DeadPort port;
  const ServiceInfo dead{
      .name = "test", .version = "latest", .nodes = {{.id = "dead", .address = port.address()}}};
  ASSERT_TRUE(front.registry().Register(dead, {}));
  const testee::TestClient test("test", front.client());
  EXPECT_TRUE(Eventually([&] {
    EXPECT_FALSE(test.Call({}, {.timeout = 60s}));
    const std::string body = Get(front, "/debug/discovery").body;
    return body.contains("rests for") && body.contains("could not be reached");
  }));
}

TEST_F(DiscoveryPageTest, AddressesAndNamesInVainAreShownToo) {
  Service& front = Front();
  const std::string address = Serve(Blocking(Echo)).address();
  const testee::TestClient test("nobody", front.client());
  EXPECT_FALSE(test.Call({}, {.timeout = 60s}));
  EXPECT_TRUE(test.Call({}, {.timeout = 60s, .addresses = {&address, 1}}));
  const std::string body = Get(front, "/debug/discovery").body;
  EXPECT_THAT(body, HasSubstr("nobody: 0 nodes by watch"));
  EXPECT_THAT(body, HasSubstr(address + ": 1 node by addresses"));
}

TEST_F(DiscoveryPageTest, WithoutMetricsThereIsNone) {
  Service& front = Front(false);
  EXPECT_EQ(Get(front, "/debug/discovery").status, 404);
  EXPECT_EQ(Get(front, "/debug/discovery.json").status, 404);
}

}  // namespace
}  // namespace micro::e2e
