#include "broker/topic.h"

#include <gtest/gtest.h>

namespace micro::broker {
namespace {

std::string Why(const Status& status) { return status ? "accepted" : status.error().detail(); }

TEST(TopicTest, WordsJoinedByDotsAreTopics) {
  for (const std::string topic : {"a", "orders.created", "go.micro.topic-1_x", "größe.日本"}) {
    EXPECT_TRUE(CheckTopic(topic)) << topic;
    EXPECT_TRUE(CheckFilter({.topic = topic})) << topic;
  }
}

TEST(TopicTest, WhatBreaksTheProtocolIsRefused) {
  for (const std::string topic :
       {"", ".", ".a", "a.", "a..b", "a b", "a\tb", "a\r\nPUB x 0", "a\nb", "a\x7f"}) {
    EXPECT_FALSE(CheckTopic(topic)) << topic;
    EXPECT_FALSE(CheckFilter({.topic = topic})) << topic;
  }
  EXPECT_FALSE(CheckTopic(std::string(1, '\0')));
  EXPECT_TRUE(CheckTopic(std::string(kMaxTopic, 'a')));
  EXPECT_FALSE(CheckTopic(std::string(kMaxTopic + 1, 'a')));
}

TEST(TopicTest, AnErrorNamesTheTopicAndSaysWhy) {
  EXPECT_EQ(Why(CheckTopic("a b")), "the topic \"a b\" has a blank or a control character in it");
  EXPECT_EQ(Why(CheckTopic("a.*")), "the topic \"a.*\" is a pattern: one cannot publish on it");
  EXPECT_EQ(Why(CheckTopic("a\nb")), "the topic \"a?b\" has a blank or a control character in it");
}

TEST(TopicTest, NobodyPublishesOnPatternsNorOnTheServersTopics) {
  for (const std::string topic : {"*", ">", "a.*", "a.>", "a*", "$SYS.x"}) {
    EXPECT_FALSE(CheckTopic(topic)) << topic;
  }
}

TEST(TopicTest, PatternsStandInWholeWords) {
  for (const std::string topic : {"*", ">", "a.*", "*.a", "a.*.>", "$SYS.>"}) {
    EXPECT_TRUE(CheckFilter({.topic = topic})) << topic;
  }
  for (const std::string topic : {"a*", "a.b>", ">.a", "a.>.b", "**"}) {
    EXPECT_FALSE(CheckFilter({.topic = topic})) << topic;
  }
}

TEST(TopicTest, QueuesAreOneWord) {
  EXPECT_TRUE(CheckFilter({.topic = "a", .queue = "billing"}));
  EXPECT_FALSE(CheckFilter({.topic = "a", .queue = "bil ling"}));
  EXPECT_FALSE(CheckFilter({.topic = "a", .queue = std::string(kMaxQueue + 1, 'q')}));
}

TEST(TopicTest, AStarIsOneWordAndAnArrowIsOneOrMore) {
  EXPECT_TRUE(Matches("a.b", "a.b"));
  EXPECT_TRUE(Matches("a.*", "a.b"));
  EXPECT_TRUE(Matches("*.b", "a.b"));
  EXPECT_TRUE(Matches("a.>", "a.b"));
  EXPECT_TRUE(Matches("a.>", "a.b.c"));
  EXPECT_TRUE(Matches(">", "a"));
  EXPECT_FALSE(Matches("a.*", "a"));
  EXPECT_FALSE(Matches("a.*", "a.b.c"));
  EXPECT_FALSE(Matches("a.>", "a"));
  EXPECT_FALSE(Matches("a.b", "a"));
  EXPECT_FALSE(Matches("a", "a.b"));
  EXPECT_FALSE(Matches("A", "a"));
}

}  // namespace
}  // namespace micro::broker
