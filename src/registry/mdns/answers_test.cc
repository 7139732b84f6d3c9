#include "registry/mdns/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::mdns {
namespace {

Name N(std::string_view text) { return Name::FromText(text).value(); }

Instance Make(const std::string& service, const std::string& id, const std::string& address) {
  const ServiceInfo info{.name = service, .version = "latest"};
  return MakeInstance(info, {.id = id, .address = address}).value();
}

class AnswersTest : public testing::Test {
 protected:
  std::vector<Message> Ask(std::string_view name, Type type, std::uint16_t klass = kClassIn) {
    const Message query{.id = 77, .questions = {{N(name), type, klass}}};
    return AnswersTo(query, instances_, host_);
  }

  const Name host_ = N("vm");
  const Instance first_ = Make("go.micro.srv.test", "go.micro.srv.test-id-1", "10.9.0.1:41897");
  const Instance second_ = Make("go.micro.srv.test", "go.micro.srv.test-id-2", "[fd00::1]:80");
  const Instance other_ = Make("other", "other-1", "10.9.0.1:81");
  const std::vector<const Instance*> instances_ = {&first_, &second_, &other_};
};

TEST_F(AnswersTest, OneMessageANodeWithTheRecordsInGoMicrosOrder) {
  const auto answers = Ask("go.micro.srv.test.micro", Type::kPtr);
  ASSERT_EQ(answers.size(), 2U);
  const Name service = N("go.micro.srv.test.micro");
  const Name instance = N("go.micro.srv.test-id-1.go.micro.srv.test.micro");
  EXPECT_EQ(answers[0], (Message{.id = 0,
                                 .flags = 0x8400,
                                 .questions = {{service, Type::kPtr}},
                                 .answers = {{service, kClassIn, 120, Ptr{instance}},
                                             {instance, kClassIn, 120, Srv{10, 1, 41897, host_}},
                                             {host_, kClassIn, 120, A{{10, 9, 0, 1}}},
                                             {instance, kClassIn, 120, first_.txt}}}));
  EXPECT_TRUE(std::holds_alternative<Aaaa>(answers[1].answers[2].data));
}

TEST_F(AnswersTest, TheQueryIdComesBackWithAUnicastQuestionOnly) {
  EXPECT_EQ(Ask("other.micro", Type::kAny)[0].id, 0);
  EXPECT_EQ(Ask("other.micro", Type::kPtr, 0x8001)[0].id, 77);
}

TEST_F(AnswersTest, AnInstanceIsAskedByType) {
  const std::string name = "other-1.other.micro";
  const auto sizes = [&](Type type) {
    const auto answers = Ask(name, type);
    return answers.empty() ? 0 : answers[0].answers.size();
  };
  EXPECT_EQ(sizes(Type::kAny), 3U);
  EXPECT_EQ(sizes(Type::kSrv), 2U);
  EXPECT_EQ(sizes(Type::kTxt), 1U);
  EXPECT_EQ(sizes(Type::kA), 1U);
  EXPECT_EQ(sizes(Type::kAaaa), 0U);
  EXPECT_EQ(sizes(Type::kPtr), 0U);
}

TEST_F(AnswersTest, TheHostHasItsNodesAddresses) {
  const auto answers = Ask("vm", Type::kA);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].answers, (std::vector<Record>{{host_, kClassIn, 120, A{{10, 9, 0, 1}}}}));
  EXPECT_EQ(Ask("vm", Type::kAny).size(), 2U);
}

TEST_F(AnswersTest, TheListNamesEachServiceOnce) {
  const auto answers = Ask("_services.micro", Type::kPtr);
  ASSERT_EQ(answers.size(), 2U);
  const Name entry = N("go.micro.srv.test._services.micro");
  EXPECT_EQ(answers[0].answers,
            (std::vector<Record>{{N("_services.micro"), kClassIn, 120, Ptr{entry}},
                                 {entry, kClassIn, 120, Srv{10, 1, 9999, host_}},
                                 {host_, kClassIn, 120, A{}},
                                 {entry, kClassIn, 120, Txt{{""}}}}));
  EXPECT_EQ(ReadList(answers[0]), std::vector<std::string>{"go.micro.srv.test"});
  EXPECT_EQ(Ask("_services._dns-sd._udp.micro", Type::kPtr).size(), 2U);
}

TEST_F(AnswersTest, WhatIsNotAskedOfItGetsNoAnswer) {
  EXPECT_TRUE(Ask("unknown.micro", Type::kPtr).empty());
  EXPECT_TRUE(Ask("Other.micro", Type::kPtr).empty());
  EXPECT_TRUE(Ask("other.micro", Type::kTxt).empty());
  EXPECT_TRUE(Ask("other.micro", Type::kPtr, 3).empty());
  const Message response{.flags = 0x8400, .questions = {{N("other.micro"), Type::kPtr}}};
  EXPECT_TRUE(AnswersTo(response, instances_, host_).empty());
  const Message update{.flags = 0x2800, .questions = {{N("other.micro"), Type::kPtr}}};
  EXPECT_TRUE(AnswersTo(update, instances_, host_).empty());
}

TEST_F(AnswersTest, WhoKnowsAnAnswerIsNotGivenIt) {
  const Name service = N("go.micro.srv.test.micro");
  Message query{.questions = {{service, Type::kPtr}}};
  query.answers = {{service, kClassIn, 60, Ptr{first_.instance}},
                   {service, kClassIn, 59, Ptr{second_.instance}}};
  const auto answers = AnswersTo(query, instances_, host_);
  ASSERT_EQ(answers.size(), 1U) << "what has less than half its time left is told again";
  EXPECT_EQ(answers[0].answers[0].data, RecordData(Ptr{second_.instance}));

  query.questions = {{N("_services.micro"), Type::kPtr}};
  query.answers = {{N("_services.micro"), kClassIn, 120, Ptr{N("other._services.micro")}}};
  EXPECT_EQ(AnswersTo(query, instances_, host_).size(), 1U);
}

TEST_F(AnswersTest, QuestionsAreBounded) {
  Message query;
  query.questions.assign(1000, {N("other.micro"), Type::kPtr});
  EXPECT_EQ(AnswersTo(query, instances_, host_).size(), 16U);
}

TEST(RecordsTest, ReadsWhatOthersWrite) {
  const Instance one = Make("svc", "svc-1", "10.0.0.1:1");
  const Instance two = Make("svc", "svc-2", "[fd00::2]:2");
  Message message{.flags = 0x8400};
  message.answers = RecordsOf(one, N("hosta"), 120);
  message.additional = RecordsOf(two, N("hostb"), 120);
  std::ranges::reverse(message.answers);
  for (Record& record : message.additional) record.klass = 0x8001;
  const auto sightings = ReadSightings(message);
  ASSERT_EQ(sightings.size(), 2U);
  EXPECT_EQ(sightings[0].service.nodes[0], (Node{.id = "svc-1", .address = "10.0.0.1:1"}));
  EXPECT_EQ(sightings[1].service.nodes[0], (Node{.id = "svc-2", .address = "[fd00::2]:2"}));
  EXPECT_FALSE(sightings[0].gone());
  EXPECT_TRUE(ReadSightings(Announcement(one, N("h"), 0))[0].gone());
}

TEST(RecordsTest, LeavesOutWhatIsIncompleteOrDoesNotFit) {
  const Instance one = Make("svc", "svc-1", "10.0.0.1:1");
  const auto records = RecordsOf(one, N("host"), 120);
  for (std::size_t missing = 0; missing < records.size(); ++missing) {
    Message message{.flags = 0x8400, .answers = records};
    message.answers.erase(message.answers.begin() + static_cast<std::ptrdiff_t>(missing));
    EXPECT_TRUE(ReadSightings(message).empty()) << missing;
  }
  Instance foreign = one;
  foreign.instance = N("svc-1.other.micro");
  EXPECT_TRUE(ReadSightings(Announcement(foreign, N("host"), 120)).empty());
  foreign.instance = N("svc.micro");
  EXPECT_TRUE(ReadSightings(Announcement(foreign, N("host"), 120)).empty());
  Message chaos = Announcement(one, N("host"), 120);
  for (Record& record : chaos.answers) record.klass = 3;
  EXPECT_TRUE(ReadSightings(chaos).empty());
}

// What one complained of.
std::vector<std::string> FaultsOf(const Message& message) {
  std::vector<std::string> faults;
  EXPECT_TRUE(
      ReadSightings(message, [&](const std::string& fault) { faults.push_back(fault); }).empty());
  return faults;
}

TEST(RecordsTest, ComplainsOfWhatCannotBeUsed) {
  using ::testing::ElementsAre;
  using ::testing::HasSubstr;
  const Instance good = Make("svc", "svc-1", "10.0.0.1:1");
  const auto faults = [&](auto spoil) {
    Message message = Announcement(good, N("host"), 120);
    spoil(message.answers);
    return FaultsOf(message);
  };
  using Records = std::vector<Record>;
  const auto txt = [](Records& all) -> std::vector<std::string>& {
    return std::get<Txt>(all[2].data).strings;
  };
  EXPECT_THAT(faults([&](Records& all) { txt(all) = {"no hex"}; }),
              ElementsAre(HasSubstr("svc-1.svc.micro: TXT record: no hex digits")));
  EXPECT_THAT(faults([&](Records& all) { txt(all) = {"789c00"}; }),
              ElementsAre(HasSubstr("no complete zlib stream")));
  EXPECT_THAT(faults([&](Records& all) { txt(all) = PackTxt("[1,2]").value(); }),
              ElementsAre(HasSubstr("no JSON object")));
  EXPECT_THAT(faults([&](Records& all) { txt(all) = PackTxt(R"({"Service":7})").value(); }),
              ElementsAre(HasSubstr("\"Service\" has a wrong type")));
  EXPECT_THAT(faults([&](Records& all) { txt(all) = PackTxt("{}").value(); }),
              ElementsAre(HasSubstr("names no service")));
  EXPECT_THAT(faults([&](Records& all) { txt(all) = PackTxt(R"({"Service":"bank"})").value(); }),
              ElementsAre(HasSubstr("its TXT record is of \"bank\"")));
  EXPECT_THAT(faults([&](Records& all) { std::get<Srv>(all[0].data).port = 0; }),
              ElementsAre(HasSubstr("nobody can connect to 10.0.0.1:0")));
  EXPECT_THAT(faults([&](Records& all) { all[1].data = A{{0, 0, 0, 0}}; }),
              ElementsAre(HasSubstr("nobody can connect to 0.0.0.0:1")));
  EXPECT_THAT(faults([&](Records& all) { all[1].data = A{{224, 0, 0, 1}}; }),
              ElementsAre(HasSubstr("nobody can connect to 224.0.0.1:1")));
}

TEST(RecordsTest, DoesNotComplainOfOtherDomainsAndOfPartsOfAnAnswer) {
  const Instance good = Make("svc", "svc-1", "10.0.0.1:1");
  Message message = Announcement(good, N("host"), 120);
  message.answers.pop_back();
  EXPECT_TRUE(FaultsOf(message).empty());
  message.answers = {{N("printer._ipp._tcp.local"), kClassIn, 120, Srv{0, 0, 631, N("host")}},
                     {N("host"), kClassIn, 120, A{{10, 0, 0, 9}}},
                     {N("printer._ipp._tcp.local"), kClassIn, 120, Txt{{"rp=queue"}}}};
  EXPECT_TRUE(FaultsOf(message).empty());
  const std::vector<const Instance*> instances = {&good};
  const Message list{.questions = {{N("_services.micro"), Type::kPtr}}};
  EXPECT_TRUE(FaultsOf(AnswersTo(list, instances, N("host")).at(0)).empty());
}

// 32 KiB of a datagram may inflate to 32 MiB.
TEST(RecordsTest, InflatesNoMoreThanAMegabyteOfOneMessage) {
  const auto bomb =
      PackTxt(R"({"Service":"svc","Version":")" + std::string(900'000, 'a') + "\"}").value();
  Message message{.flags = 0x8400};
  for (int i = 0; i < 20; ++i) {
    Instance instance = Make("svc", "svc-" + std::to_string(i), "10.0.0.1:1");
    instance.txt.strings = bomb;
    for (Record& record : RecordsOf(instance, N("host"), 120)) {
      message.answers.push_back(std::move(record));
    }
  }
  int faults = 0;
  EXPECT_EQ(ReadSightings(message, [&](const std::string&) { ++faults; }).size(), 1U);
  EXPECT_EQ(faults, 19);
}

}  // namespace
}  // namespace micro::mdns
