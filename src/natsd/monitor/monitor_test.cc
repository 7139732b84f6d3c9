#include "natsd/monitor/monitor.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/address.h"

namespace micro::natsd::monitor {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr WallTime kStart{hours(24 * 365)};

TEST(PagesTest, VarzHasWhatIsCounted) {
  const ServerStats server = {.id = "N1",
                              .name = "one",
                              .version = "2.9.25",
                              .cluster = "c",
                              .start = kStart,
                              .connections = 2,
                              .routes = 1,
                              .slow_consumers = 3,
                              .traffic = {.in_messages = 4, .in_bytes = 5, .out_messages = 6}};
  const Options options = {.host = "127.0.0.1", .port = 4222, .cluster = {.name = "c", .port = 7}};
  const json page =
      json::parse(Varz(server, options, {.resident_bytes = 100, .cores = 2}, kStart + seconds(61)));
  EXPECT_EQ(page["server_id"], "N1");
  EXPECT_EQ(page["version"], "2.9.25");
  EXPECT_EQ(page["port"], 4222);
  EXPECT_EQ(page["connections"], 2);
  EXPECT_EQ(page["in_msgs"], 4);
  EXPECT_EQ(page["in_bytes"], 5);
  EXPECT_EQ(page["out_msgs"], 6);
  EXPECT_EQ(page["slow_consumers"], 3);
  EXPECT_EQ(page["cluster"]["name"], "c");
  EXPECT_EQ(page["mem"], 100);
  EXPECT_EQ(page["uptime"], "1m1s");
  EXPECT_EQ(page["ping_interval"], 120'000'000'000);
  EXPECT_FALSE(page.contains("auth_required"));
}

TEST(PagesTest, ConnzShowsAPageOfConnections) {
  const std::vector<ClientStats> clients = {
      {.id = 1},
      {.id = 2, .ip = "127.0.0.1", .name = "\xff", .subscriptions = 3, .subjects = {"a"}},
      {.id = 3}};
  const json page = json::parse(Connz({}, clients, {.offset = 1, .limit = 1}, kStart));
  EXPECT_EQ(page["num_connections"], 1);
  EXPECT_EQ(page["total"], 3);
  ASSERT_EQ(page["connections"].size(), 1U);
  const json& row = page["connections"][0];
  EXPECT_EQ(row["cid"], 2);
  EXPECT_EQ(row["subscriptions"], 3);
  EXPECT_EQ(row["subscriptions_list"], json({"a"}));
  EXPECT_EQ(json::parse(Connz({}, clients, {.offset = 9}, kStart))["connections"].size(), 0U);
}

TEST(PagesTest, RoutezAndSubsz) {
  const json routes =
      json::parse(Routez({.id = "N1"}, {{.id = 7, .remote_id = "N2", .solicited = true}}, kStart));
  EXPECT_EQ(routes["num_routes"], 1);
  EXPECT_EQ(routes["routes"][0]["remote_id"], "N2");
  EXPECT_EQ(routes["routes"][0]["did_solicit"], true);
  const json subs = json::parse(Subsz({}, {.subscriptions = 5, .matches = 4, .hits = 3}, kStart));
  EXPECT_EQ(subs["num_subscriptions"], 5);
  EXPECT_EQ(subs["cache_hit_rate"], 0.75);
}

TEST(PagesTest, ReadsThePagingAndSkipsTheRest) {
  const Paging paging = ReadPaging("offset=3&limit=x&subs=1&sort=cid&&=");
  EXPECT_EQ(paging.offset, 3U);
  EXPECT_EQ(paging.limit, 1024U);
  EXPECT_TRUE(paging.subscriptions);
  EXPECT_FALSE(ReadPaging("").subscriptions);
}

TEST(PagesTest, TimesReadAsGoWritesThem) {
  EXPECT_EQ(FormatTime(WallTime(seconds(1) + std::chrono::nanoseconds(5))),
            "1970-01-01T00:00:01.000000005Z");
  EXPECT_EQ(FormatUptime(seconds(0)), "0s");
  EXPECT_EQ(FormatUptime(seconds(3661)), "1h1m1s");
  EXPECT_EQ(FormatUptime(hours(24 * 366)), "1y1d0h0m0s");
}

TEST(PagesTest, TheProcessIsMeasured) {
  const ProcessUsage usage = MeasureProcess();
  EXPECT_GT(usage.resident_bytes, 0U);
  EXPECT_GE(usage.cores, 1U);
}

// One request on a connection of its own; what came back until the other side closed.
std::string Ask(const Monitor& monitor, const std::string& request) {
  const auto at = ParseHostPort(monitor.address());
  EXPECT_TRUE(at);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(at->port);
  ::inet_pton(AF_INET, at->host.c_str(), &address.sin_addr);
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = 30, .tv_usec = 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  EXPECT_EQ(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::send(descriptor, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  std::array<char, 4096> bytes{};
  for (ssize_t n = 0; (n = ::recv(descriptor, bytes.data(), bytes.size(), 0)) > 0;) {
    answer.append(bytes.data(), static_cast<std::size_t>(n));
  }
  ::close(descriptor);
  return answer;
}

std::string Get(const Monitor& monitor, const std::string& target) {
  return Ask(monitor, "GET " + target + " HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
}

std::unique_ptr<Monitor> StartMonitor() {
  const auto named = [](std::string name) {
    return [name](const std::string& query) { return "{\"" + name + "\":\"" + query + "\"}"; };
  };
  auto monitor = Monitor::Start("127.0.0.1:0",
                                {.varz = named("varz"),
                                 .connz = named("connz"),
                                 .routez = named("routez"),
                                 .subsz = named("subsz")},
                                StderrLogger(LogLevel::kError));
  EXPECT_TRUE(monitor) << monitor.error().detail();
  return monitor ? *std::move(monitor) : nullptr;
}

TEST(MonitorTest, ServesItsPages) {
  const auto monitor = StartMonitor();
  ASSERT_TRUE(monitor);
  EXPECT_THAT(Get(*monitor, "/varz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get(*monitor, "/connz?subs=1"), HasSubstr("{\"connz\":\"subs=1\"}"));
  EXPECT_THAT(Get(*monitor, "/subscriptionsz"), HasSubstr("subsz"));
  EXPECT_THAT(Get(*monitor, "/healthz"), HasSubstr("\"status\": \"ok\""));
  EXPECT_THAT(Get(*monitor, "/"), HasSubstr("text/html"));
}

TEST(MonitorTest, RefusesWhatItDoesNotHave) {
  const auto monitor = StartMonitor();
  ASSERT_TRUE(monitor);
  EXPECT_THAT(Get(*monitor, "/nothing"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(
      Ask(*monitor,
          "POST /varz HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
      StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Ask(*monitor, "GET /" + std::string(20000, 'x') + " HTTP/1.1\r\n\r\n"),
              ::testing::Not(StartsWith("HTTP/1.1 200")));
}

TEST(MonitorTest, AnAddressThatIsTakenIsAnError) {
  const auto monitor = StartMonitor();
  ASSERT_TRUE(monitor);
  const auto second = Monitor::Start(monitor->address(), {}, StderrLogger(LogLevel::kError));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().phase(), Phase::kConfigure);
}

}  // namespace
}  // namespace micro::natsd::monitor
