#include "net/dns/message.h"

#include <gtest/gtest.h>

namespace micro::dns {
namespace {

Name N(std::string_view text) { return Name::FromText(text).value(); }

// go-micro v2.9.1's answer for one node, as its records were read off the wire.
Message GoAnswer() {
  const Name instance = N("go.micro.srv.test-id-1.go.micro.srv.test.micro");
  Message message{.id = 0, .flags = 0x8400};
  message.questions = {{N("go.micro.srv.test.micro"), Type::kPtr}};
  message.answers = {
      {N("go.micro.srv.test.micro"), kClassIn, 120, Ptr{instance}},
      {instance, kClassIn, 120, Srv{10, 1, 41897, N("vm")}},
      {N("vm"), kClassIn, 120, A{{10, 9, 0, 1}}},
      {instance, kClassIn, 120,
       Txt{{std::string(255, 'a'), std::string(255, 'b'), std::string(96, 'c')}}},
  };
  return message;
}

Message EveryType() {
  Message message = GoAnswer();
  message.additional.push_back({N("vm"), 0x8001, 0, Aaaa{{0xfe, 0x80, 0, 1}}});
  message.authority.push_back({N("_services.micro"), kClassIn, 9, Opaque{47, "\x01\x02"}});
  message.answers.push_back({Name(), 0x0400, 1, Txt{}});
  message.answers.push_back({N("alias.example"), kClassIn, 5, Cname{N("example")}});
  return message;
}

TEST(NameTest, KeepsLabelsApart) {
  EXPECT_EQ(N("go.micro").wire(), std::string("\2go\5micro\0", 10));
  EXPECT_EQ(N("go.micro."), N("go.micro"));
  EXPECT_EQ(N("go.micro").ToText(), "go.micro");
  EXPECT_EQ(N("go.micro").FirstLabel(), "go");
  EXPECT_EQ(Name().ToText(), "");
  Name dotted;
  ASSERT_TRUE(dotted.Append("a.b"));
  EXPECT_EQ(dotted.ToText(), "a.b");
  EXPECT_NE(dotted, N("a.b"));
  EXPECT_NE(N("Go"), N("go"));
}

TEST(NameTest, RejectsWhatNoNameHolds) {
  const std::string label(63, 'x');
  EXPECT_TRUE(Name::FromText(label + "." + label + "." + label + "." + std::string(61, 'x')));
  EXPECT_FALSE(Name::FromText(label + "." + label + "." + label + "." + std::string(62, 'x')));
  for (const std::string& text : {std::string("."), std::string(".a"), std::string("a..b"),
                                  std::string("a.."), label + "x"}) {
    EXPECT_FALSE(Name::FromText(text)) << text;
  }
}

TEST(NameTest, SplitsAtASuffix) {
  EXPECT_EQ(N("id.1.svc.micro").Before(N("svc.micro")), N("id.1"));
  EXPECT_EQ(N("svc.micro").Before(N("svc.micro")), Name());
  EXPECT_EQ(N("xsvc.micro").Before(N("svc.micro")), Name());
  EXPECT_EQ(N("micro").Before(N("svc.micro")), Name());
  EXPECT_EQ(N("id").Under(N("svc.micro")), N("id.svc.micro"));
  const Name half = N(std::string(63, 'a') + "." + std::string(63, 'b') + ".c");
  EXPECT_FALSE(half.Under(half));
}

TEST(DnsTest, ReadsWhatItWrote) {
  EXPECT_EQ(Parse(Build(GoAnswer()).value()), GoAnswer());
  EXPECT_EQ(Parse(Build(EveryType()).value()), EveryType());
}

TEST(DnsTest, CompressesNames) {
  const std::string packet = Build(GoAnswer()).value();
  EXPECT_EQ(packet.size(), 12U + 29 + (12 + 25) + (12 + 10) + (4 + 10 + 4) + (12 + 609));
  EXPECT_EQ(packet.substr(12, 25), std::string_view("\2go\5micro\3srv\4test\5micro\0", 25));
}

TEST(DnsTest, ReadsAQueryAsGoMicroSendsIt) {
  const std::string packet("\x9b\xd1\0\0\0\1\0\0\0\0\0\0\2go\5micro\3srv\4test\5micro\0\0\x0c\0\1",
                           41);
  const auto query = Parse(packet);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->id, 39889);
  EXPECT_FALSE(query->is_response());
  EXPECT_EQ(query->questions,
            (std::vector<Question>{{N("go.micro.srv.test.micro"), Type::kPtr, kClassIn}}));
}

TEST(DnsTest, RejectsAMessageCutAtAnyOctet) {
  const std::string packet = Build(EveryType()).value();
  for (std::size_t size = 0; size < packet.size(); ++size) {
    EXPECT_FALSE(Parse(std::string_view(packet).substr(0, size))) << size;
  }
}

TEST(DnsTest, WithstandsEveryFlippedBit) {
  const std::string packet = Build(EveryType()).value();
  for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
    std::string flipped = packet;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    if (const auto message = Parse(flipped)) {
      const auto again = Build(*message);
      ASSERT_TRUE(again) << bit;
      EXPECT_EQ(Parse(*again), *message) << bit;
    }
  }
}

TEST(DnsTest, RejectsPointersThatLoopOrPointAhead) {
  const std::string header("\0\0\0\0\0\1\0\0\0\0\0\0", 12);
  const std::string tail("\0\x0c\0\1", 4);
  EXPECT_FALSE(Parse(header + std::string("\xc0\x0c", 2) + tail));
  EXPECT_FALSE(Parse(header + std::string("\1a\xc0\x0c", 4) + tail));
  EXPECT_FALSE(Parse(header + std::string("\xc0\x0e\1a\0", 5) + tail));
  EXPECT_FALSE(Parse(header + std::string("\x80\0", 2) + tail));
}

TEST(DnsTest, RejectsRecordsOfAWrongLength) {
  Message message;
  message.answers = {{N("vm"), kClassIn, 1, A{{1, 2, 3, 4}}}};
  std::string packet = Build(message).value();
  ASSERT_TRUE(Parse(packet));
  packet[packet.size() - 5] = 3;
  EXPECT_FALSE(Parse(packet));
}

TEST(DnsTest, DoesNotWriteWhatDoesNotFit) {
  Message message;
  message.answers = {{N("a"), kClassIn, 1, Txt{{std::string(256, 'x')}}}};
  EXPECT_FALSE(Build(message));
  message.answers = {
      {N("a"), kClassIn, 1, Txt{std::vector<std::string>(250, std::string(255, 'x'))}},
      {N("a"), kClassIn, 1, Txt{std::vector<std::string>(250, std::string(255, 'x'))}}};
  EXPECT_FALSE(Build(message));
}

}  // namespace
}  // namespace micro::dns
