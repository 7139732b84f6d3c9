#include <map>

#include <gtest/gtest.h>

#include "natsd/config/configuration.h"
#include "natsd/config/scalars.h"
#include "natsd/route_url.h"

namespace micro::natsd::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Files and variables that are nowhere but here.
struct World {
  std::map<std::string, std::string> files = {};
  std::map<std::string, std::string> variables = {};

  Sources sources() const {
    return {.file = [this](const std::string& path) -> Result<std::string> {
              const auto file = files.find(path);
              if (file == files.end()) return NotFound("cannot read the file " + path);
              return file->second;
            },
            .variable = [this](const std::string& name) -> std::optional<std::string> {
              const auto variable = variables.find(name);
              if (variable == variables.end()) return std::nullopt;
              return variable->second;
            }};
  }
};

Configuration Read(World world, const std::string& text) {
  world.files["x.conf"] = text;
  Configuration configuration;
  const auto read = ReadConfiguration("x.conf", world.sources(), configuration);
  EXPECT_TRUE(read) << read.error().detail();
  return configuration;
}

Configuration Read(const std::string& text) { return Read(World{}, text); }

std::string Refusal(World world, const std::string& text) {
  world.files["x.conf"] = text;
  Configuration configuration;
  const auto read = ReadConfiguration("x.conf", world.sources(), configuration);
  EXPECT_FALSE(read) << text;
  if (read) return {};
  EXPECT_EQ(read.error().phase(), Phase::kConfigure);
  return read.error().detail();
}

std::string Refusal(const std::string& text) { return Refusal(World{}, text); }

TEST(ConfigTest, KeysAndValuesAreSeparatedInSeveralWays) {
  const Options server = Read(
                             "port: 1\n"
                             "host = \"127.0.0.1\"\n"
                             "server_name 'one'   # a comment\n"
                             "// another\n"
                             "debug: yes, trace: on; logtime: FALSE\n"
                             "cluster{port=-1,name:two}\r\n")
                             .server;
  EXPECT_EQ(server.port, 1);
  EXPECT_EQ(server.host, "127.0.0.1");
  EXPECT_EQ(server.server_name, "one");
  EXPECT_TRUE(server.debug);
  EXPECT_TRUE(server.trace);
  EXPECT_EQ(server.cluster.port, -1);
  EXPECT_EQ(server.cluster.name, "two");
}

TEST(ConfigTest, WhatIsNotSaidStaysAsItWas) {
  World world{.files = {{"x.conf", "port: 7"}}};
  Configuration configuration{.server = {.host = "h", .port = 3}};
  ASSERT_TRUE(ReadConfiguration("x.conf", world.sources(), configuration));
  EXPECT_EQ(configuration.server.host, "h");
  EXPECT_EQ(configuration.server.port, 7);
}

TEST(ConfigTest, NumbersHaveSuffixes) {
  EXPECT_EQ(Read("max_payload: 8k").server.max_payload, 8000U);
  EXPECT_EQ(Read("max_payload: 8KB").server.max_payload, 8192U);
  EXPECT_EQ(Read("max_pending: 2MiB").server.max_pending, 2U << 20U);
  EXPECT_EQ(Read("max_pending: 1gb").server.max_pending, 1U << 30U);
  EXPECT_EQ(Read("max_connections: -1").server.max_connections,
            std::numeric_limits<std::size_t>::max());
  EXPECT_EQ(Read("max_subscriptions: 0").server.max_subscriptions, 0U);
}

TEST(ConfigTest, TimesAreDurationsOrSeconds) {
  EXPECT_EQ(Read("ping_interval: \"2m\"").server.ping_interval, minutes(2));
  EXPECT_EQ(Read("ping_interval: 3").server.ping_interval, seconds(3));
  EXPECT_EQ(Read("write_deadline: 1m30s").server.write_deadline, seconds(90));
  EXPECT_EQ(Read("authorization { token: t, timeout: 0.5 }").server.authorization.timeout,
            milliseconds(500));
}

TEST(ConfigTest, ListenIsHostAndPort) {
  const Options server =
      Read("listen: \"[::1]:4333\"\nhttp: 127.0.0.1:8222\ncluster { listen: -1 }").server;
  EXPECT_EQ(server.host, "::1");
  EXPECT_EQ(server.port, 4333);
  EXPECT_EQ(server.monitor_host, "127.0.0.1");
  EXPECT_EQ(server.monitor_port, 8222);
  EXPECT_EQ(server.cluster.host, "0.0.0.0");
  EXPECT_EQ(server.cluster.port, -1);
}

TEST(ConfigTest, UsersHavePermissions) {
  const Authorization read = Read(R"(
    ADMIN = { publish: ">", subscribe: ">" }
    authorization {
      default_permissions = { publish: { deny: "x" } }
      users = [
        { user: a, password: $2a$04$abcdefghijklmnopqrstuu35fBIWlNgF8BcAW/t2cO158N8svSFHy,
          permissions: $ADMIN },
        { user: "b", pass: "1234" }
        { nkey: UABC, permission: { pub: [p, q], sub: {allow: ["s one"], deny: [t]},
          allow_responses: { max: 5, expires: 1m } } }
      ]
    }
    no_auth_user: b)")
                                 .server.authorization;
  ASSERT_EQ(read.users.size(), 3U);
  EXPECT_EQ(read.users[0].password.size(), 60U);
  EXPECT_EQ(read.users[0].permissions->publish.allow, std::vector<std::string>{">"});
  EXPECT_EQ(read.users[1].password, "1234");
  EXPECT_EQ(read.users[1].permissions->publish.deny, std::vector<std::string>{"x"});
  const User& last = read.users[2];
  EXPECT_EQ(last.nkey, "UABC");
  EXPECT_EQ(last.permissions->publish.allow, (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(last.permissions->subscribe.allow, std::vector<std::string>{"s one"});
  EXPECT_EQ(last.permissions->subscribe.deny, std::vector<std::string>{"t"});
  EXPECT_EQ(last.permissions->responses->max, 5);
  EXPECT_EQ(last.permissions->responses->expires, minutes(1));
  EXPECT_EQ(read.no_auth_user, "b");
}

TEST(ConfigTest, AccountsHaveUsers) {
  const Authorization read =
      Read("accounts { A { users: [{user: a, pass: x}] }\n B: { users: [{user: b}] } }")
          .server.authorization;
  ASSERT_EQ(read.users.size(), 2U);
  EXPECT_EQ(read.users[0].account, "A");
  EXPECT_EQ(read.users[1].account, "B");
}

TEST(ConfigTest, AClusterHasRoutes) {
  const ClusterOptions cluster = Read(R"(
    cluster {
      name: "c", listen: "127.0.0.1:4248", no_advertise: true, connect_retries: 3
      authorization { user: r, password: "s", timeout: 1 }
      routes = [
        nats-route://u:p%40q@127.0.0.1:1
        "nats://[::1]:2"
      ]
    })")
                                     .server.cluster;
  EXPECT_EQ(cluster.name, "c");
  EXPECT_EQ(cluster.port, 4248);
  EXPECT_TRUE(cluster.no_advertise);
  EXPECT_EQ(cluster.connect_retries, 3);
  EXPECT_EQ(cluster.user, "r");
  EXPECT_EQ(cluster.password, "s");
  ASSERT_EQ(cluster.routes.size(), 2U);
  EXPECT_EQ(cluster.routes[0], (RouteUrl{"127.0.0.1", 1, "u", "p@q"}));
  EXPECT_EQ(cluster.routes[1], (RouteUrl{.host = "::1", .port = 2}));
}

TEST(ConfigTest, TlsNamesItsFiles) {
  const TlsFiles tls =
      Read("tls { cert_file: c, key_file: k, ca_file: a, verify: true, timeout: 3 }").server.tls;
  EXPECT_TRUE(tls.on());
  EXPECT_TRUE(tls.verify);
  EXPECT_EQ(tls.timeout, seconds(3));
  EXPECT_NE(Refusal("tls { cert_file: c }").find("key_file"), std::string::npos);
  EXPECT_NE(Refusal("tls { cert_file: c, key_file: k, verify: on }").find("ca_file"),
            std::string::npos);
}

TEST(ConfigTest, TheProgramsOwnKeys) {
  const Configuration read = Read("log_file: /l\npid_file: '/p'\nports_file_dir: \"/d\"");
  EXPECT_EQ(read.log_file, "/l");
  EXPECT_EQ(read.pid_file, "/p");
  EXPECT_EQ(read.server.ports_file_dir, "/d");
}

TEST(ConfigTest, FilesIncludeOthersBesideThem) {
  const World world{.files = {{"sub/a.conf", "host: h\ninclude 'b.conf'"},
                              {"sub/b.conf", "server_name: $NAME\n"}}};
  const Options server = Read(world, "NAME: n\ninclude ./sub/a.conf\nport: 9").server;
  EXPECT_EQ(server.host, "h");
  EXPECT_EQ(server.server_name, "n");
  EXPECT_EQ(server.port, 9);
}

TEST(ConfigTest, WhatIsWrongInAnIncludedFileIsFoundThere) {
  const World world{.files = {{"a.conf", "\n\nport: none"}}};
  EXPECT_EQ(Refusal(world, "include a.conf"), "a.conf:3: wanted a number, found \"none\"");
  EXPECT_EQ(Refusal("\ninclude gone.conf"), "x.conf:2: cannot read the file gone.conf");
  EXPECT_NE(Refusal("include x.conf").find("circle"), std::string::npos);
}

TEST(ConfigTest, VariablesAreKeysAboveOrOfTheEnvironment) {
  const World world{.variables = {{"HOST", "'e'"}, {"P", "1"}}};
  const Options server =
      Read(world, "P: 5\nhost: $HOST\ncluster { P: 6, port: $P }\nport: $P").server;
  EXPECT_EQ(server.host, "e");
  EXPECT_EQ(server.port, 5);
  EXPECT_EQ(server.cluster.port, 6);
  EXPECT_NE(Refusal("port: $NONE").find("$NONE"), std::string::npos);
  EXPECT_NE(Refusal("a: $a").find("$a"), std::string::npos);
}

TEST(ConfigTest, WhatIsUnknownIsAnError) {
  EXPECT_EQ(Refusal("port: 1\nprot: 2"), "x.conf:2: unknown key \"prot\"");
  EXPECT_EQ(Refusal("cluster { nome: x }"), "x.conf:1: unknown key \"nome\" in cluster");
  EXPECT_NE(Refusal("operator: x").find("cannot be ignored"), std::string::npos);
  EXPECT_NE(Refusal("accounts { A { exports: [] } }").find("not supported"), std::string::npos);
}

TEST(ConfigTest, WhatIsNotHereIsIgnoredAndNamed) {
  const Configuration read = Read("jetstream { store_dir: x }\nleafnodes { port: 1 }\nport: 1");
  ASSERT_EQ(read.ignored.size(), 2U);
  EXPECT_TRUE(read.ignored[1].starts_with("x.conf:2: ")) << read.ignored[1];
}

TEST(ConfigTest, WrongValuesSayWhereAndWhat) {
  EXPECT_EQ(Refusal("port: 65536"), "x.conf:1: wanted a number from -1 to 65535, found \"65536\"");
  EXPECT_EQ(Refusal("\n\ndebug: maybe"), "x.conf:3: wanted true or false, found \"maybe\"");
  EXPECT_EQ(Refusal("host: [a]"), "x.conf:1: wanted a text, found a list");
  EXPECT_EQ(Refusal("cluster: 3"), "x.conf:1: wanted a map { … } in cluster");
  EXPECT_NE(Refusal("ping_interval: -1").find("time"), std::string::npos);
  EXPECT_NE(Refusal("max_payload: 0").find("number"), std::string::npos);
  EXPECT_NE(Refusal("max_payload: 99999999999e").find("number"), std::string::npos);
  EXPECT_NE(Refusal("listen: a:b").find("host:port"), std::string::npos);
  EXPECT_NE(Refusal("cluster { routes: [nats://user:secret@host] }").find("\"host\""),
            std::string::npos);
}

TEST(ConfigTest, BrokenTextSaysWhereItBreaks) {
  EXPECT_EQ(Refusal("port:"), "x.conf:1: a value is missing");
  EXPECT_EQ(Refusal("port: 1 host: h"),
            "x.conf:1: what follows a value begins on a new line, or after a comma: \"host: h\"");
  EXPECT_EQ(Refusal("\ncluster {\nport: 1"), "x.conf:3: the file ends within the \"{\" of line 2");
  EXPECT_EQ(Refusal("a: [1,\n"), "x.conf:2: the file ends within the \"[\" of line 1");
  EXPECT_EQ(Refusal("host: \"a\n\n"), "x.conf:1: the text that is quoted here does not end");
  EXPECT_EQ(Refusal("}"), "x.conf:1: a key cannot begin with \"}\"");
  EXPECT_NE(Refusal(R"(host: "\q")").find("backslash"), std::string::npos);
  EXPECT_NE(Refusal(R"(host: "\x4)").find("backslash"), std::string::npos);
  EXPECT_NE(Refusal("a: (\nb\n)").find("parentheses"), std::string::npos);
}

TEST(ConfigTest, EscapesAreReadInDoubleQuotesOnly) {
  EXPECT_EQ(Read(R"(host: "a\t\"\\\x41")").server.host, "a\t\"\\A");
  EXPECT_EQ(Read(R"(host: 'a\t')").server.host, "a\\t");
}

TEST(ConfigTest, NestingAndVariablesAreBounded) {
  EXPECT_NE(Refusal("a: " + std::string(100, '[')).find("too deep"), std::string::npos);
  std::string bomb = "a0: [x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "$a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": [" + before + ", " + before + "]\n";
  }
  EXPECT_NE(Refusal(bomb).find("more than"), std::string::npos);
  std::string tower = "a0: [x]\n";
  for (int i = 1; i < 100; ++i) {
    tower += "a" + std::to_string(i) + ": [$a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_NE(Refusal(tower).find("too deep"), std::string::npos);
}

TEST(ConfigTest, AnErrorStaysInOneLine) {
  const std::string detail = Refusal("\"a\n" + std::string(300, 'b') + "\": 1");
  EXPECT_EQ(detail.find('\n'), std::string::npos);
  EXPECT_LT(detail.size(), 200U);
}

TEST(RouteUrlTest, IsReadAndShownWithoutItsSecret) {
  const auto url = ParseRouteUrl("tls://u:p@host:5/");
  ASSERT_TRUE(url);
  EXPECT_EQ(*url, (RouteUrl{"host", 5, "u", "p"}));
  EXPECT_EQ(ShowRouteUrl(*url), "nats-route://host:5");
  EXPECT_TRUE(ParseRouteUrl("127.0.0.1:4248"));
  for (const char* bad : {"", "nats://", "nats://host", "nats://host:0", "nats://:4",
                          "nats://u%4:p@host:1", "nats://u:%zz@host:1", "http://h:1"}) {
    EXPECT_FALSE(ParseRouteUrl(bad)) << bad;
  }
}

}  // namespace
}  // namespace micro::natsd::config
