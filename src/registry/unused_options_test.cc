#include "registry/unused_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/dns/dns.h"
#include "registry/mdns/mdns.h"
#include "registry/memory/memory.h"
#include "registry/static/static.h"

namespace micro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LineKeeper final : public Logger {
 public:
  bool Enabled(LogLevel level) const override { return level >= LogLevel::kWarn; }
  void Write(LogLevel level, std::string_view message) override {
    if (Enabled(level)) lines.emplace_back(message);
  }
  std::vector<std::string> lines;
};

TEST(UnusedOptionsTest, EachRegistryThatIsNoServerSaysWhichOptionsItIgnores) {
  using Factory = Result<std::shared_ptr<Registry>> (*)(const RegistryConfig&);
  const std::vector<std::tuple<std::string, Factory, std::string>> cases = {
      {"mdns", MakeMdnsRegistry, "127.0.0.1"},
      {"memory", MakeMemoryRegistry, ""},
      {"static", MakeStaticRegistry, "a:1"},
      {"dns", MakeDnsRegistry, "127.0.0.1:9"}};
  for (const auto& [name, make, address] : cases) {
    const auto logger = std::make_shared<LineKeeper>();
    RegistryConfig config{.logger = logger, .username = "us", .password = "sesame", .tls = true};
    if (!address.empty()) config.addresses = {address};
    ASSERT_TRUE(make(config)) << name;
    EXPECT_THAT(logger->lines,
                ElementsAre("registry " + name +
                            " takes no notice of --registry_username, --registry_password, "
                            "--registry_tls: it neither logs in anywhere nor speaks TLS"));
    logger->lines.clear();
    ASSERT_TRUE(make({.addresses = config.addresses, .logger = logger}));
    EXPECT_THAT(logger->lines, IsEmpty()) << name;
  }
}

}  // namespace
}  // namespace micro
