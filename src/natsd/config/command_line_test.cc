#include "natsd/config/command_line.h"

#include <gtest/gtest.h>

#include "base/misconfigured.h"

namespace micro::natsd::config {
namespace {

using Action = Command::Action;

Sources OneFile(const std::string& text) {
  return {.file = [text](const std::string& path) -> Result<std::string> {
            if (path == "x.conf") return text;
            return Misconfigured("cannot read the file " + path);
          },
          .variable = [](const std::string&) { return std::nullopt; }};
}

Command Read(const std::vector<std::string>& arguments, const std::string& file = "") {
  auto command = ReadCommandLine(arguments, OneFile(file));
  EXPECT_TRUE(command) << command.error().detail();
  return command.value_or(Command());
}

std::string Refusal(const std::vector<std::string>& arguments, const std::string& file = "") {
  const auto command = ReadCommandLine(arguments, OneFile(file));
  EXPECT_FALSE(command);
  if (command) return {};
  EXPECT_EQ(command.error().phase(), Phase::kConfigure);
  return command.error().detail();
}

TEST(CommandLineTest, FlagsTakeOneDashOrTwoAndTheirValueEitherWay) {
  for (const std::vector<std::string>& same : {std::vector<std::string>{"-p", "5"},
                                               {"--p", "5"},
                                               {"-p=5"},
                                               {"--port=5"},
                                               {"-port", "5"}}) {
    EXPECT_EQ(Read(same).configuration.server.port, 5);
  }
}

TEST(CommandLineTest, TogglesMayBeSwitchedOff) {
  const Options server = Read({"-DV", "-p", "-1", "-T=false", "-D=false"}).configuration.server;
  EXPECT_FALSE(server.debug);
  EXPECT_TRUE(server.trace);
  EXPECT_EQ(server.port, -1);
}

TEST(CommandLineTest, FlagsCountMoreThanTheFile) {
  const Command command = Read({"-p", "5", "-c", "x.conf"}, "port: 4\nhost: h");
  EXPECT_EQ(command.configuration.server.port, 5);
  EXPECT_EQ(command.configuration.server.host, "h");
}

TEST(CommandLineTest, AClusterListensAtAUrl) {
  const ClusterOptions cluster =
      Read({"--cluster", "nats://r:s@127.0.0.1:-1", "--cluster_name", "\"c\"", "--routes",
            "nats-route://127.0.0.1:1, nats://u:p@127.0.0.1:2", "--no_advertise"})
          .configuration.server.cluster;
  EXPECT_EQ(cluster.host, "127.0.0.1");
  EXPECT_EQ(cluster.port, -1);
  EXPECT_EQ(cluster.user, "r");
  EXPECT_EQ(cluster.password, "s");
  EXPECT_EQ(cluster.name, "\"c\"");
  EXPECT_TRUE(cluster.no_advertise);
  ASSERT_EQ(cluster.routes.size(), 2U);
  EXPECT_EQ(cluster.routes[1], (RouteUrl{"127.0.0.1", 2, "u", "p"}));
  EXPECT_EQ(Read({"-cluster_listen", "nats://127.0.0.1:7"}).configuration.server.cluster.port, 7);
}

TEST(CommandLineTest, SecurityFlags) {
  const Options server = Read({"--user", "u", "--pass", "p", "--tls", "--tlscert", "c", "--tlskey",
                               "k", "--tlsverify", "--tlscacert", "a"})
                             .configuration.server;
  EXPECT_EQ(server.authorization.user, "u");
  EXPECT_EQ(server.authorization.password, "p");
  EXPECT_TRUE(server.tls.on());
  EXPECT_TRUE(server.tls.verify);
  EXPECT_EQ(Read({"-auth", "t"}).configuration.server.authorization.token, "t");
}

TEST(CommandLineTest, OtherThingsToDo) {
  EXPECT_EQ(Read({"-v"}).action, Action::kShowVersion);
  EXPECT_EQ(Read({"--help"}).action, Action::kShowHelp);
  EXPECT_EQ(Read({"-t", "-c", "x.conf"}).action, Action::kCheck);
  const Command signal = Read({"--signal", "ldm=42"});
  EXPECT_EQ(signal.action, Action::kSignal);
  EXPECT_EQ(signal.signal, "ldm");
  EXPECT_EQ(signal.process, "42");
  EXPECT_EQ(Read({"-sl=stop"}).signal, "stop");
}

TEST(CommandLineTest, WhatCannotBeIsAnError) {
  EXPECT_NE(Refusal({"--prot", "1"}).find("\"--prot\" is an unknown flag"), std::string::npos);
  EXPECT_NE(Refusal({"stray"}).find("\"stray\" is no flag"), std::string::npos);
  EXPECT_NE(Refusal({"-p"}).find("wants a value"), std::string::npos);
  EXPECT_NE(Refusal({"-p", "x"}).find("found \"x\""), std::string::npos);
  EXPECT_NE(Refusal({"-js"}).find("not supported"), std::string::npos);
  EXPECT_NE(Refusal({"-c", "gone"}).find("gone"), std::string::npos);
  EXPECT_NE(Refusal({"-c", "x.conf"}, "\nport: x").find("x.conf:2"), std::string::npos);
  EXPECT_NE(Refusal({"--tls"}).find("--tlscert"), std::string::npos);
  EXPECT_NE(Refusal({"--routes", "nats://h:1"}).find("--cluster"), std::string::npos);
  EXPECT_NE(Refusal({"--cluster", "x"}).find("no route"), std::string::npos);
}

TEST(CommandLineTest, HelpNamesEveryFlagInOneLineEach) {
  const std::string help = HelpText();
  for (const char* flag : {"-p, --port PORT", "--cluster_name NAME", "-sl, --signal", "-DV"}) {
    EXPECT_NE(help.find(flag), std::string::npos) << flag;
  }
}

}  // namespace
}  // namespace micro::natsd::config
