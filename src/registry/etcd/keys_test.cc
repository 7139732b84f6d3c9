#include "registry/etcd/keys.h"

#include <gtest/gtest.h>

namespace micro::etcd {
namespace {

TEST(EtcdKeysTest, AreGoMicros) {
  EXPECT_EQ(KeyOf("helloworld", "helloworld-5b1d4a1c-0000-4000-8000-000000000001"),
            "/micro/registry/helloworld/helloworld-5b1d4a1c-0000-4000-8000-000000000001");
}

TEST(EtcdKeysTest, SlashesWithinBecomeDashes) {
  EXPECT_EQ(KeyOf("a/b/c", "a/b/c-1/2"), "/micro/registry/a-b-c/a-b-c-1-2");
  EXPECT_EQ(PrefixOf("a/b"), "/micro/registry/a-b/");
}

TEST(EtcdKeysTest, ARangeHoldsThePrefixAndNoMore) {
  const std::string prefix = PrefixOf("greeter");
  const std::string end = EndOf(prefix);
  EXPECT_EQ(end, "/micro/registry/greeter0");
  EXPECT_LT(KeyOf("greeter", "\xff\xff"), end);
  EXPECT_GE(KeyOf("greeter", ""), prefix);
  EXPECT_GE(KeyOf("greeter2", "1"), end);
  EXPECT_LT(KeyOf("greeter-two", "1"), prefix);
}

TEST(EtcdKeysTest, NoServiceMeansAll) {
  EXPECT_EQ(PrefixOf(""), "/micro/registry/");
  EXPECT_EQ(EndOf(PrefixOf("")), "/micro/registry0");
}

}  // namespace
}  // namespace micro::etcd
