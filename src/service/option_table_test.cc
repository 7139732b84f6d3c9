#include "service/option_table.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace micro::service {
namespace {

using namespace std::chrono_literals;

// Sets a variable for as long as it lives.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_.c_str()); }

 private:
  std::string name_;
};

Result<std::vector<std::string>> Read(ServiceOptions& options, std::vector<std::string> words) {
  words.insert(words.begin(), "/usr/bin/greeter");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return ReadOptions(options, static_cast<int>(argv.size()), argv.data());
}

// The sentence that `words` are refused with.
std::string Complaint(std::vector<std::string> words, ServiceOptions options = {}) {
  const auto read = Read(options, std::move(words));
  if (read) return "accepted";
  EXPECT_EQ(read.error().phase(), Phase::kConfigure);
  EXPECT_EQ(read.error().detail().find('\n'), std::string::npos) << read.error().detail();
  return read.error().detail();
}

TEST(OptionTableTest, WithoutAnythingTheDefaultsHold) {
  ServiceOptions options;
  ASSERT_TRUE(Read(options, {}));
  EXPECT_EQ(options.registry, "mdns");
  EXPECT_EQ(options.address, ":0");
  EXPECT_EQ(options.client_request_timeout, 5s);
}

TEST(OptionTableTest, CodeWinsOverDefault) {
  ServiceOptions options{.version = "2.0", .client_retries = 7};
  ASSERT_TRUE(Read(options, {}));
  EXPECT_EQ(options.version, "2.0");
  EXPECT_EQ(options.client_retries, 7);
}

TEST(OptionTableTest, EnvironmentWinsOverCode) {
  const Variable variable("MICRO_SERVER_VERSION", "3.0");
  ServiceOptions options{.version = "2.0"};
  ASSERT_TRUE(Read(options, {}));
  EXPECT_EQ(options.version, "3.0");
}

TEST(OptionTableTest, CommandLineWinsOverEnvironment) {
  const Variable variable("MICRO_SERVER_VERSION", "3.0");
  ServiceOptions options{.version = "2.0"};
  ASSERT_TRUE(Read(options, {"--server_version=4.0"}));
  EXPECT_EQ(options.version, "4.0");
}

TEST(OptionTableTest, AnEmptyVariableIsNotSet) {
  const Variable variable("MICRO_REGISTRY", "");
  ServiceOptions options;
  ASSERT_TRUE(Read(options, {}));
  EXPECT_EQ(options.registry, "mdns");
}

TEST(OptionTableTest, FlagsTakeOneDashOrTwoAndTheirValueEitherWay) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--registry=static"},
                                             {"--registry", "static"},
                                             {"-registry=static"},
                                             {"-registry", "static"}}) {
    ServiceOptions options;
    ASSERT_TRUE(Read(options, words)) << words.front();
    EXPECT_EQ(options.registry, "static");
  }
}

TEST(OptionTableTest, OfAFlagThatRepeatsTheLastCounts) {
  ServiceOptions options;
  ASSERT_TRUE(Read(options, {"--registry=static", "-registry", "memory"}));
  EXPECT_EQ(options.registry, "memory");
}

TEST(OptionTableTest, AnUnknownFlagIsRefusedByName) {
  EXPECT_NE(Complaint({"--registri=static"}).find("--registri"), std::string::npos);
  EXPECT_NE(Complaint({"-x"}).find("-x"), std::string::npos);
}

TEST(OptionTableTest, AFlagWithoutItsValueIsRefusedByName) {
  EXPECT_NE(Complaint({"--registry"}).find("--registry"), std::string::npos);
}

TEST(OptionTableTest, ABadValueNamesItsFlag) {
  for (const std::string flag : {"--client_retries", "--loops", "--client_request_timeout",
                                 "--server_metadata", "--max_message_size"}) {
    const std::string complaint = Complaint({flag + "=many"});
    EXPECT_TRUE(complaint.starts_with(flag + ": ")) << complaint;
    EXPECT_NE(complaint.find("many"), std::string::npos) << complaint;
  }
}

TEST(OptionTableTest, ABadValueNamesItsVariable) {
  const Variable variable("MICRO_CLIENT_RETRIES", "many");
  EXPECT_TRUE(Complaint({}).starts_with("MICRO_CLIENT_RETRIES: "));
}

TEST(OptionTableTest, NumbersAreWholeAndInRange) {
  for (const std::string value : {"", "-1", "1.5", "1k", " 1", "99999999999999999999"}) {
    EXPECT_NE(Complaint({"--loops=" + value}), "accepted") << value;
  }
  ServiceOptions options;
  ASSERT_TRUE(Read(options, {"--client_retries=0", "--loops=3"}));
  EXPECT_EQ(options.client_retries, 0);
  EXPECT_EQ(options.loops, 3U);
}

TEST(OptionTableTest, DurationsAreGosOrSeconds) {
  ServiceOptions options;
  ASSERT_TRUE(Read(options, {"--register_ttl=90", "--register_interval=1m30s",
                             "--client_request_timeout=250ms"}));
  EXPECT_EQ(options.register_ttl, 90s);
  EXPECT_EQ(options.register_interval, 90s);
  EXPECT_EQ(options.client_request_timeout, 250ms);
  EXPECT_NE(Complaint({"--register_ttl=-1s"}), "accepted");
  EXPECT_NE(Complaint({"--register_ttl=-1"}), "accepted");
}

TEST(OptionTableTest, ListsAreJoinedByCommasOrRepeated) {
  ServiceOptions options;
  ASSERT_TRUE(Read(options, {"--registry_address=a:1,b:2", "--registry_address", "[::1]:3"}));
  EXPECT_EQ(options.registry_address, (StringList{"a:1", "b:2", "[::1]:3"}));
}

TEST(OptionTableTest, MapsSplitAtTheFirstEqualsSign) {
  ServiceOptions options;
  ASSERT_TRUE(Read(options, {"--server_metadata=zone=b,query=x=y", "--server_metadata=empty="}));
  EXPECT_EQ(options.metadata, (StringMap{{"empty", ""}, {"query", "x=y"}, {"zone", "b"}}));
  EXPECT_NE(Complaint({"--server_metadata==b"}), "accepted");
}

TEST(OptionTableTest, WhatStandsBesideFlagsIsReturned) {
  ServiceOptions options{.arguments = "NAME..."};
  const auto read = Read(options, {"John", "--registry=static", "--", "--dashes"});
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(*read, (std::vector<std::string>{"John", "--dashes"}));
}

TEST(OptionTableTest, ArgumentsNobodyTakesAreRefused) {
  EXPECT_NE(Complaint({"John"}).find("John"), std::string::npos);
}

struct OwnFlags {
  bool loud = false;
  int count = 1;
  double factor = 0.5;
  std::string name = "nobody";
  Duration pause = 1s;

  ServiceOptions Options() {
    return {.flags = {{.name = "loud", .help = "be loud", .value = &loud},
                      {.name = "n", .help = "how often", .value = &count},
                      {.name = "factor", .help = "how much", .value = &factor},
                      {.name = "who", .help = "for whom", .value = &name},
                      {.name = "pause", .help = "in between", .value = &pause}},
            .arguments = "NAME"};
  }
};

TEST(OwnFlagsTest, AreReadBesideTheLibrarys) {
  OwnFlags own;
  ServiceOptions options = own.Options();
  ASSERT_TRUE(Read(options, {"-n", "3", "--factor=2.5", "-who=me", "--pause=5ms", "--loud",
                             "--registry=static"}));
  EXPECT_TRUE(own.loud);
  EXPECT_EQ(own.count, 3);
  EXPECT_EQ(own.factor, 2.5);
  EXPECT_EQ(own.name, "me");
  EXPECT_EQ(own.pause, 5ms);
  EXPECT_EQ(options.registry, "static");
}

TEST(OwnFlagsTest, KeepWhatWasThereWhenNotGiven) {
  OwnFlags own;
  ServiceOptions options = own.Options();
  ASSERT_TRUE(Read(options, {"John"}));
  EXPECT_FALSE(own.loud);
  EXPECT_EQ(own.count, 1);
  EXPECT_EQ(own.name, "nobody");
}

TEST(OwnFlagsTest, ASwitchTakesNoArgumentAway) {
  OwnFlags own;
  ServiceOptions options = own.Options();
  const auto read = Read(options, {"--loud", "John"});
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_TRUE(own.loud);
  EXPECT_EQ(*read, std::vector<std::string>{"John"});
}

TEST(OwnFlagsTest, ASwitchMayBeSetOff) {
  OwnFlags own;
  own.loud = true;
  ServiceOptions options = own.Options();
  ASSERT_TRUE(Read(options, {"-loud=false"}));
  EXPECT_FALSE(own.loud);
  EXPECT_NE(Complaint({"--loud=perhaps"}, own.Options()), "accepted");
}

TEST(OwnFlagsTest, OfOneLetterTakeTheirValueEitherWay) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"-n", "3"}, {"-n=3"}, {"--n=3"}, {"--n", "3"}}) {
    OwnFlags own;
    ServiceOptions options = own.Options();
    ASSERT_TRUE(Read(options, words)) << words.front();
    EXPECT_EQ(own.count, 3);
  }
}

TEST(OwnFlagsTest, TakeNothingFromTheEnvironment) {
  const Variable variable("MICRO_WHO", "them");
  OwnFlags own;
  ServiceOptions options = own.Options();
  ASSERT_TRUE(Read(options, {}));
  EXPECT_EQ(own.name, "nobody");
}

std::string Help(ServiceOptions options, const std::string& flag) {
  const auto read = Read(options, {"--registry=static", flag});
  EXPECT_FALSE(read);
  EXPECT_EQ(read.error().phase(), Phase::kUsage);
  return read.error().detail();
}

TEST(HelpTest, ListsEveryOptionWithItsVariable) {
  const std::string help = Help({}, "--help");
  ServiceOptions options;
  for (const OptionRow& row : OptionTable(options)) {
    EXPECT_NE(help.find("--" + row.flag + " "), std::string::npos) << row.flag;
    EXPECT_NE(help.find(row.environment), std::string::npos) << row.environment;
    EXPECT_NE(help.find(row.help), std::string::npos) << row.help;
  }
  EXPECT_NE(help.find("Usage: greeter [flags]"), std::string::npos) << help;
}

TEST(HelpTest, ShowsTheDefaultsOfTheProgramAndThePluginsThereAre) {
  const std::string help = Help({.version = "2.0"}, "-help");
  EXPECT_NE(help.find("[2.0]"), std::string::npos);
  EXPECT_NE(help.find("etcd,mdns,memory,static"), std::string::npos) << help;
}

TEST(HelpTest, KeepsTheSecretsOfTheProgram) {
  const std::string help = Help({.registry_password = "sesame"}, "--help");
  EXPECT_EQ(help.find("sesame"), std::string::npos);
  EXPECT_NE(help.find("[***]"), std::string::npos);
}

TEST(HelpTest, ListsOwnFlagsAndArguments) {
  OwnFlags own;
  const std::string help = Help(own.Options(), "-h");
  EXPECT_NE(help.find("--who "), std::string::npos);
  EXPECT_NE(help.find("  -n "), std::string::npos);
  EXPECT_NE(help.find("[flags] NAME"), std::string::npos);
}

}  // namespace
}  // namespace micro::service
