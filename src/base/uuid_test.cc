#include "base/uuid.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace micro {
namespace {

// Digits become 'x', but for the one that tells the version.
std::string FormOf(std::string uuid) {
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const bool digit = std::string_view("0123456789abcdef").contains(uuid[i]);
    if (digit && i != 14) uuid[i] = 'x';
  }
  return uuid;
}

TEST(UuidTest, IsOfVersionFourInTheUsualForm) {
  for (int i = 0; i < 100; ++i) {
    const std::string uuid = RandomUuid();
    EXPECT_EQ(FormOf(uuid), "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx");
    EXPECT_TRUE(std::string_view("89ab").contains(uuid[19])) << uuid;
  }
}

TEST(UuidTest, NoTwoAreAlike) {
  std::set<std::string> uuids;
  for (int i = 0; i < 1000; ++i) uuids.insert(RandomUuid());
  EXPECT_EQ(uuids.size(), 1000U);
}

}  // namespace
}  // namespace micro
