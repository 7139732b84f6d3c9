#include "registry/etcd/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::etcd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LineKeeper final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return true; }
  void Write(LogLevel, std::string_view message) override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

wire::KeyValue Stored(const std::string& value, std::int64_t revision = 1) {
  wire::KeyValue kv;
  kv.set_key("/micro/registry/a/a-1");
  kv.set_value(value);
  kv.set_mod_revision(revision);
  return kv;
}

class EtcdRecordsTest : public testing::Test {
 protected:
  std::uint64_t bad() {
    return metrics_.GetCounter("micro_registry_bad_records_total", "", {{"registry", "etcd"}})
        .value();
  }

  Metrics metrics_;
  const std::shared_ptr<LineKeeper> logger_ = std::make_shared<LineKeeper>();
  Records records_{logger_, &metrics_};
};

TEST_F(EtcdRecordsTest, WhatIsNoRecordIsPassedOverCountedAndLogged) {
  const std::vector<std::string> values = {
      "",
      "nonsense",
      "[]",
      "\xff\xfe",
      R"({"name":7})",
      R"({"name":"a"})",
      R"({"nodes":[{"id":"a-1","address":"10.0.0.1:1"}]})",
      R"({"name":"a","nodes":[{"id":"a-1","address":"nowhere"}]})",
      R"({"name":"a","nodes":[{"id":"a-1","address":"10.0.0.1:70000"}]})",
      R"({"name":"a","nodes":[{"id":"","address":"10.0.0.1:1"}]})",
      R"({"name":"a","nodes":{"id":"a-1","address":"10.0.0.1:1"}})",
      std::string(1000, '['),
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_FALSE(records_.Read(Stored(values[i], static_cast<std::int64_t>(i + 1)))) << values[i];
  }
  EXPECT_EQ(bad(), values.size());
  EXPECT_EQ(logger_->lines.size(), values.size());
  EXPECT_THAT(logger_->lines[1], HasSubstr("/micro/registry/a/a-1"));
}

TEST_F(EtcdRecordsTest, TheSameBadRecordIsLoggedOnce) {
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(records_.Read(Stored("nonsense")));
  EXPECT_EQ(logger_->lines.size(), 1U);
  EXPECT_EQ(bad(), 1U);
}

TEST_F(EtcdRecordsTest, GoodNodesBesideABadOneAreKept) {
  const auto service = records_.Read(Stored(
      R"({"name":"a","nodes":[{"id":"x","address":"::"},{"id":"a-1","address":"10.0.0.1:1"}]})"));
  ASSERT_TRUE(service);
  EXPECT_THAT(service->nodes, ElementsAre(Node{.id = "a-1", .address = "10.0.0.1:1"}));
  EXPECT_EQ(bad(), 1U);
}

}  // namespace
}  // namespace micro::etcd
