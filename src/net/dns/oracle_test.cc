// glibc's own DNS parser reads what Build wrote, and must see the same.
#include <arpa/nameser.h>
#include <resolv.h>

#include <random>

#include <gtest/gtest.h>

#include "net/dns/message.h"

namespace micro::dns {
namespace {

const unsigned char* Octets(const std::string& packet) {
  return reinterpret_cast<const unsigned char*>(packet.data());
}

std::string Expand(const std::string& packet, const unsigned char* at) {
  std::array<char, 1024> text;
  const int used =
      dn_expand(Octets(packet), Octets(packet) + packet.size(), at, text.data(), text.size());
  return used < 0 ? "malformed" : std::string(text.data());
}

TEST(DnsOracleTest, GlibcReadsTheSameRecords) {
  const Name service = Name::FromText("go.micro.srv.test.micro").value();
  const Name instance = Name::FromText("id-1").value().Under(service).value();
  Message message{.id = 7, .flags = 0x8400};
  message.questions = {{service, Type::kPtr}};
  message.answers = {
      {service, kClassIn, 120, Ptr{instance}},
      {instance, kClassIn, 120, Srv{10, 1, 41897, Name::FromText("vm.example").value()}},
      {instance, kClassIn, 60, Txt{{"abc", "de"}}}};
  const std::string packet = Build(message).value();

  ns_msg handle;
  ASSERT_EQ(ns_initparse(Octets(packet), static_cast<int>(packet.size()), &handle), 0);
  EXPECT_EQ(ns_msg_id(handle), 7);
  EXPECT_EQ(ns_msg_count(handle, ns_s_qd), 1);
  ASSERT_EQ(ns_msg_count(handle, ns_s_an), 3);
  ns_rr record;
  ASSERT_EQ(ns_parserr(&handle, ns_s_an, 0, &record), 0);
  EXPECT_STREQ(ns_rr_name(record), "go.micro.srv.test.micro");
  EXPECT_EQ(ns_rr_ttl(record), 120U);
  EXPECT_EQ(Expand(packet, ns_rr_rdata(record)), "id-1.go.micro.srv.test.micro");
  ASSERT_EQ(ns_parserr(&handle, ns_s_an, 1, &record), 0);
  EXPECT_EQ(ns_rr_type(record), ns_t_srv);
  EXPECT_EQ(ns_get16(ns_rr_rdata(record) + 4), 41897U);
  EXPECT_EQ(Expand(packet, ns_rr_rdata(record) + 6), "vm.example");
  ASSERT_EQ(ns_parserr(&handle, ns_s_an, 2, &record), 0);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(ns_rr_rdata(record)), ns_rr_rdlen(record)),
            "\3abc\2de");
}

// Whatever Parse takes, glibc takes as well: it is never the laxer of the two.
TEST(DnsOracleTest, GlibcTakesWhatParseTakes) {
  std::mt19937 random(1);
  const Name name = Name::FromText("a.micro").value();
  Message message{.flags = 0x8400};
  message.questions = {{name, Type::kPtr}};
  message.answers = {{name, kClassIn, 1, Ptr{Name::FromText("b.a.micro").value()}},
                     {name, kClassIn, 1, A{{127, 0, 0, 1}}}};
  const std::string packet = Build(message).value();
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string mutant = packet;
    for (int change = 0; change < 3; ++change) {
      mutant[random() % mutant.size()] = static_cast<char>(random());
    }
    if (!Parse(mutant)) continue;
    ++taken;
    // glibc wants nothing to follow the last record, so it gets what was read, written again.
    const std::string rewritten = Build(Parse(mutant).value()).value();
    ns_msg handle;
    EXPECT_EQ(ns_initparse(Octets(rewritten), static_cast<int>(rewritten.size()), &handle), 0)
        << round;
  }
  EXPECT_GT(taken, 100);
}

}  // namespace
}  // namespace micro::dns
