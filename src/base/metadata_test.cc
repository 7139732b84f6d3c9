#include "micro/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro {
namespace {

using testing::ElementsAre;

TEST(MetadataTest, KeysAreComparedWithoutCase) {
  Metadata metadata{{"X-User", "ann"}};
  EXPECT_EQ(metadata.Get("x-user"), "ann");
  EXPECT_EQ(metadata.Get("X-USER"), "ann");
  EXPECT_EQ(metadata[0].first, "x-user");
  EXPECT_FALSE(metadata.Has("x-use"));
}

TEST(MetadataTest, KeepsOrderAndRepeats) {
  Metadata metadata{{"a", "1"}, {"b", "2"}, {"A", "3"}};
  EXPECT_THAT(metadata.GetAll("a"), ElementsAre("1", "3"));
  EXPECT_EQ(metadata.Get("a"), "1");
}

TEST(MetadataTest, SetReplacesAll) {
  Metadata metadata{{"a", "1"}, {"b", "2"}, {"a", "3"}};
  metadata.Set("a", *metadata.Get("b"));
  EXPECT_THAT(metadata.GetAll("a"), ElementsAre("2"));
  EXPECT_EQ(metadata.size(), 2U);
}

TEST(MetadataTest, RemoveKeepsTheRest) {
  Metadata metadata{{"a", "1"}, {"b", "two"}, {"c", "3"}};
  EXPECT_EQ(metadata.Remove("b"), 1U);
  EXPECT_EQ(metadata.Remove("b"), 0U);
  EXPECT_EQ(metadata.Get("c"), "3");
  EXPECT_EQ(metadata.bytes(), 4U);
}

TEST(MetadataTest, KeepsNoMoreBytesThanItWasGiven) {
  Metadata metadata;
  for (std::size_t i = 1; i <= 1000; ++i) {
    metadata.Add("Key", "value");
    ASSERT_EQ(metadata.bytes(), 8 * i);
  }
}

TEST(MetadataTest, AppendsItself) {
  Metadata metadata{{"a", "1"}};
  metadata.Append(metadata);
  EXPECT_THAT(metadata.GetAll("a"), ElementsAre("1", "1"));
}

// Spec: go-micro's metadata keys, as its context shows them.
TEST(MetadataTest, TitleCasesAsGoDoes) {
  EXPECT_EQ(TitleCase("micro-trace-id"), "Micro-Trace-Id");
  EXPECT_EQ(TitleCase(":authority"), ":Authority");
  EXPECT_EQ(TitleCase("x_b"), "X_b");
}

}  // namespace
}  // namespace micro
