// The process around the server: flags, files, signals, monitoring.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server_process.h"

namespace micro::natsd::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whether `condition` comes true within a minute.
template <typename Condition>
bool Eventually(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

nlohmann::json Get(const ServerProcess& server, const std::string& target) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.monitor_port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const std::string request = "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(::send(descriptor, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  std::array<char, 65536> bytes{};
  for (ssize_t n = 0; (n = ::recv(descriptor, bytes.data(), bytes.size(), 0)) > 0;) {
    answer.append(bytes.data(), static_cast<std::size_t>(n));
  }
  ::close(descriptor);
  const auto body = answer.find("\r\n\r\n");
  return nlohmann::json::parse(body == std::string::npos ? "" : answer.substr(body + 4), nullptr,
                               false);
}

TEST(FlagsTest, AnUnknownOneIsAnError) {
  const Ended ended = RunProgram({"--no-such-flag"});
  EXPECT_EQ(ended.code, IsOurs() ? 2 : 0);  // nats-server shows its help
  EXPECT_THAT(ended.words, HasSubstr("no-such-flag"));
}

TEST(FlagsTest, TheVersionIsOneLine) {
  const Ended ended = RunProgram({"-v"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.words, StartsWith("nats-server: v2."));
}

TEST(FlagsTest, AFileThatCannotBeReadIsAnError) {
  const Ended ended = RunProgram({"-c", "/nowhere/x.conf"});
  EXPECT_NE(ended.code, 0);
  EXPECT_THAT(ended.words, HasSubstr("/nowhere/x.conf"));
}

TEST(FlagsTest, WhatIsWrongInAFileIsFoundByItsLine) {
  const Folder folder;
  std::ofstream(folder / "x.conf") << "host: 127.0.0.1\nprot: 1\n";
  const Ended ended = RunProgram({"-t", "-c", folder / "x.conf"});
  EXPECT_NE(ended.code, 0);
  EXPECT_THAT(ended.words, HasSubstr("x.conf:2"));
}

TEST(ProcessTest, AnInterruptedServerIsDoneAndItsFilesAreGone) {
  const Folder folder;
  ServerProcess server("pid_file: \"" + (folder / "pid") + "\"\n");
  Wire client = server.Client();
  // nats-server writes it a little after it has begun to listen.
  ASSERT_TRUE(Eventually([&] { return !TextOf(folder / "pid").empty(); }));
  EXPECT_EQ(std::stoi(TextOf(folder / "pid")), server.pid());
  server.Signal(SIGINT);
  EXPECT_EQ(server.Wait(), 0);
  client.Rest();
  for (const auto& file : std::filesystem::directory_iterator(server.folder().path())) {
    EXPECT_NE(file.path().extension(), ".ports");
  }
}

TEST(ProcessTest, ATerminatedServerSaysSo) {
  ServerProcess server;
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 1);
}

TEST(ProcessTest, TheLogGoesOnInANewFile) {
  const Folder folder;
  ServerProcess server("log_file: \"" + (folder / "log") + "\"\n");
  ASSERT_TRUE(
      Eventually([&] { return TextOf(folder / "log").find("ready") != std::string::npos; }));
  std::filesystem::rename(folder / "log", folder / "old");
  server.Signal(SIGUSR1);
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(folder / "log"); }));
  server.Signal(SIGINT);
  server.Wait();
}

TEST(ProcessTest, ALameDuckSendsItsClientsAway) {
  // nats-server takes no duration below 30 s.
  if (!IsOurs()) GTEST_SKIP() << "takes too long";
  ServerProcess server("lame_duck_duration: \"1s\"\nlame_duck_grace_period: \"200ms\"\n");
  Wire client = server.Client(R"({"verbose":false,"protocol":1})");
  client.Listen();
  server.Signal(SIGUSR2);
  std::string info;
  while (info.find("\"ldm\":true") == std::string::npos) {
    info = client.Next();
    if (info == "PING\r\n") client.Send("PONG\r\n");
    ASSERT_FALSE(info.ends_with("[closed]"));
  }
  client.Rest();
  EXPECT_EQ(server.Wait(), 0);
}

TEST(ProcessTest, AnEmptyLameDuckEndsAtOnce) {
  ServerProcess server;
  ASSERT_TRUE(Eventually([&] { return server.Words().find("ready") != std::string::npos; }));
  server.Signal(SIGUSR2);
  EXPECT_EQ(server.Wait(), 0);
}

TEST(ProcessTest, SignalsMayBeSentByTheProgramItself) {
  ServerProcess server;
  EXPECT_EQ(RunProgram({"--signal", "quit=" + std::to_string(server.pid())}).code, 0);
  EXPECT_EQ(server.Wait(), 0);
  if (IsOurs()) {
    const Ended unknown = RunProgram({"--signal", "jump=1234"});
    EXPECT_EQ(unknown.code, 2);
    EXPECT_THAT(unknown.words, HasSubstr("jump"));
  }
}

TEST(ProcessTest, AReloadChangesWhatIsLogged) {
  if (!IsOurs()) GTEST_SKIP() << "the words of the log are ours";
  ServerProcess server;
  std::ofstream(server.folder() / "server.conf", std::ios::app) << "debug: true\n";
  server.Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return server.Words().find("Reloaded") != std::string::npos; }));
  std::ofstream(server.folder() / "server.conf", std::ios::app) << "nonsense: true\n";
  server.Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return server.Words().find("nonsense") != std::string::npos; }));
  Wire client = server.Client();
}

TEST(MonitoringTest, CountsWhatPassesThrough) {
  const ServerProcess server;
  Wire client = server.Client(R"({"verbose":false,"name":"me","lang":"cc","version":"1"})");
  client.Send("SUB foo 1\r\nPUB foo 5\r\nhello\r\n");
  client.Sync();
  const auto varz = Get(server, "/varz");
  EXPECT_EQ(varz["in_msgs"], 1);
  EXPECT_EQ(varz["in_bytes"], 5);
  EXPECT_EQ(varz["out_msgs"], 1);
  EXPECT_EQ(varz["out_bytes"], 5);
  EXPECT_EQ(varz["connections"], 1);
  EXPECT_EQ(varz["port"], server.client_port());
  const auto connz = Get(server, "/connz?subs=1");
  ASSERT_EQ(connz["connections"].size(), 1U);
  const auto& row = connz["connections"][0];
  EXPECT_EQ(row["name"], "me");
  EXPECT_EQ(row["lang"], "cc");
  EXPECT_EQ(row["subscriptions"], 1);
  EXPECT_EQ(row["in_msgs"], 1);
  EXPECT_EQ(row["subscriptions_list"], nlohmann::json({"foo"}));
  EXPECT_EQ(Get(server, "/healthz")["status"], "ok");
  EXPECT_GE(Get(server, "/subsz")["num_subscriptions"], 1);
}

TEST(MonitoringTest, ShowsRoutes) {
  const ServerProcess first("cluster { name: c, listen: \"127.0.0.1:-1\" }\n");
  const ServerProcess second("cluster { name: c, listen: \"127.0.0.1:-1\", routes: [\"" +
                             first.route_url() + "\"] }\n");
  ASSERT_TRUE(Eventually([&] { return Get(first, "/routez")["num_routes"] == 1; }));
  const auto row = Get(first, "/routez")["routes"][0];
  EXPECT_EQ(row["remote_id"], Get(second, "/varz")["server_id"]);
  EXPECT_EQ(row["did_solicit"], false);
  EXPECT_EQ(Get(second, "/routez")["routes"][0]["did_solicit"], true);
}

}  // namespace
}  // namespace micro::natsd::testing
