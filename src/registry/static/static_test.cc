#include "registry/static/static.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "micro/metrics.h"
#include "micro/testing/registry_conformance.h"

namespace micro::testing {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> AddressesOf(Registry& registry, std::string_view service) {
  std::vector<std::string> addresses;
  const auto found = registry.GetService(service);
  if (!found) return addresses;
  for (const Node& node : (*found)[0].nodes) addresses.push_back(node.address);
  return addresses;
}

// A file that is gone with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text) { Write(text); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::remove(path_.c_str()); }

  // A whole new file in place of the old one, as editors and configuration tools do.
  void Write(std::string_view text) {
    std::ofstream(path_ + ".new") << text;
    std::rename((path_ + ".new").c_str(), path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_ =
      std::filesystem::temp_directory_path() / (UniqueServiceName("addresses") + ".txt");
};

TEST(StaticRegistryTest, AnAddressServesEveryServiceOrTheOneItNames) {
  const auto registry =
      MakeStaticRegistry({.addresses = {"a:1", "greeter=b:2", "greeter=[::1]:80", "greeter=b:2"}})
          .value();
  EXPECT_THAT(AddressesOf(*registry, "greeter"), ElementsAre("b:2", "[::1]:80", "a:1"));
  EXPECT_THAT(AddressesOf(*registry, "other"), ElementsAre("a:1"));
  EXPECT_EQ(registry->GetService("other").value(),
            (std::vector<ServiceInfo>{{.name = "other",
                                       .version = "latest",
                                       .nodes = {{.id = "other-a:1", .address = "a:1"}}}}));
}

TEST(StaticRegistryTest, ListsTheNamedServices) {
  const auto registry = MakeStaticRegistry({.addresses = {"b=b:2", "x:1", "a=a:1"}}).value();
  const auto all = registry->ListServices().value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "a");
  EXPECT_EQ(all[1].name, "b");
}

TEST(StaticRegistryTest, NotFoundSaysWhatIsConfigured) {
  const auto found = MakeStaticRegistry({.addresses = {"a=b:2", "c=d:3"}}).value()->GetService("x");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kNotFound);
  EXPECT_EQ(found.error().phase(), Phase::kResolve);
  EXPECT_THAT(found.error().detail(), HasSubstr("\"x\""));
  EXPECT_THAT(found.error().detail(), HasSubstr("a=b:2, c=d:3"));
}

TEST(StaticRegistryTest, MisconfigurationIsSaidAtTheStart) {
  const TemporaryFile broken("a:1\n\n  # comment\nbad line\n");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "--registry=static needs --registry_address"},
      {{"a"}, "--registry_address=a: \"a\" is no address"},
      {{"a:0"}, "nothing to connect to"},
      {{":80"}, "nothing to connect to"},
      {{"=a:1"}, "names no service"},
      {{"::1:80"}, "IPv6 needs brackets"},
      {{"file:/no/such"}, "cannot read /no/such: No such file or directory"},
      {{"file:/"}, "cannot read /"},
      {{"file:"}, "--registry_address=file:"},
      {{"file:" + broken.path()}, broken.path() + ":4: \"bad line\" is no address"},
  };
  for (const auto& [addresses, why] : cases) {
    const auto registry = MakeStaticRegistry({.addresses = addresses});
    ASSERT_FALSE(registry) << why;
    EXPECT_EQ(registry.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(registry.error().phase(), Phase::kConfigure);
    EXPECT_THAT(registry.error().detail(), HasSubstr(why));
  }
}

TEST(StaticRegistryTest, RegisteringDoesNothing) {
  const auto registry = MakeStaticRegistry({.addresses = {"a=b:2"}}).value();
  const ServiceInfo service{.name = "s", .nodes = {{.id = "s-1", .address = "x:1"}}};
  EXPECT_TRUE(registry->Register(service, {}));
  EXPECT_FALSE(registry->GetService("s"));
  EXPECT_TRUE(registry->Deregister(service));
  EXPECT_TRUE(registry->Watch("s", [](const Change&) {}));
}

TEST(StaticRegistryTest, ReadsAFileAgainWhenItChanges) {
  TemporaryFile file("# fleet\r\ngreeter=a:1 # the first\n\n\tb:2\r\n");
  const auto registry = MakeStaticRegistry({.addresses = {"file://" + file.path()}}).value();
  EXPECT_THAT(AddressesOf(*registry, "greeter"), ElementsAre("a:1", "b:2"));
  file.Write("greeter=c:3");
  EXPECT_THAT(AddressesOf(*registry, "greeter"), ElementsAre("c:3"));
}

class LineKeeper final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return true; }
  void Write(LogLevel, std::string_view message) override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

TEST(StaticRegistryTest, ABadLineIsPassedOverAndTheGoodOnesAreUsed) {
  TemporaryFile file("a:1\n");
  const auto logger = std::make_shared<LineKeeper>();
  Metrics metrics;
  const auto registry =
      MakeStaticRegistry(
          {.addresses = {"file:" + file.path()}, .logger = logger, .metrics = &metrics})
          .value();
  file.Write("no address\nb:2\ngreeter=:0\n\xff\xfe\n");
  EXPECT_THAT(AddressesOf(*registry, "s"), ElementsAre("b:2"));
  EXPECT_THAT(AddressesOf(*registry, "s"), ElementsAre("b:2"));
  EXPECT_THAT(logger->lines, ElementsAre(HasSubstr("passes over a bad record: " + file.path() +
                                                   ":1: \"no address\"")));
  EXPECT_THAT(metrics.Text(),
              HasSubstr("micro_registry_bad_records_total{registry=\"static\"} 3\n"));
}

TEST(StaticRegistryTest, KeepsWhatItHasWhileAFileCannotBeRead) {
  TemporaryFile file("a:1\n");
  const auto logger = std::make_shared<LineKeeper>();
  const auto registry =
      MakeStaticRegistry({.addresses = {"file:" + file.path()}, .logger = logger}).value();
  file.Write("\nbad\n");
  EXPECT_THAT(AddressesOf(*registry, "s"), ElementsAre("a:1"));
  EXPECT_THAT(AddressesOf(*registry, "s"), ElementsAre("a:1"));
  EXPECT_THAT(logger->lines, ElementsAre(HasSubstr(file.path() + ":2: \"bad\"")));
  std::remove(file.path().c_str());
  EXPECT_THAT(AddressesOf(*registry, "s"), ElementsAre("a:1"));
  EXPECT_THAT(AddressesOf(*registry, "s"), ElementsAre("a:1"));
  EXPECT_EQ(logger->lines.size(), 2U);
  file.Write("b:2\n");
  EXPECT_THAT(AddressesOf(*registry, "s"), ElementsAre("b:2"));
}

TEST(StaticRegistryTest, WatchTellsWhatAFileGainedAndLost) {
  TemporaryFile file("greeter=a:1\nx:1\n");
  const auto registry = MakeStaticRegistry({.addresses = {"file:" + file.path()}}).value();
  ChangeLog greeter;
  ChangeLog other;
  const auto watch = registry->Watch("greeter", greeter.watcher());
  const auto watch_other = registry->Watch("other", other.watcher());
  file.Write("greeter=b:2\nx:1\ny:2\n");
  EXPECT_TRUE(greeter.WaitForCreate("greeter-b:2"));
  EXPECT_TRUE(greeter.WaitForDelete("greeter-a:1"));
  EXPECT_TRUE(other.WaitForCreate("other-y:2"));
  EXPECT_EQ(other.size(), 0U);
}

}  // namespace micro::testing
