#include "base/uuid.h"

#include <regex>
#include <set>

#include <gtest/gtest.h>

namespace micro {
namespace {

TEST(UuidTest, IsOfVersionFourInTheUsualForm) {
  const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  for (int i = 0; i < 100; ++i) {
    const std::string uuid = RandomUuid();
    EXPECT_TRUE(std::regex_match(uuid, form)) << uuid;
  }
}

TEST(UuidTest, NoTwoAreAlike) {
  std::set<std::string> uuids;
  for (int i = 0; i < 1000; ++i) uuids.insert(RandomUuid());
  EXPECT_EQ(uuids.size(), 1000U);
}

}  // namespace
}  // namespace micro
