#include "natsd/parser.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace micro::natsd {
namespace {

Parsed Parse(std::string_view bytes, Unit& unit, ParserLimits limits = {}) {
  return ParseUnit(bytes, limits, unit);
}

Outcome OutcomeOf(std::string_view bytes, ParserLimits limits = {}) {
  Unit unit;
  return Parse(bytes, unit, limits).outcome;
}

TEST(ParserTest, ReadsAPublication) {
  Unit unit;
  const std::string bytes = "PUB foo.bar reply 5\r\nhello\r\nPING\r\n";
  const Parsed parsed = Parse(bytes, unit);
  ASSERT_EQ(parsed.outcome, Outcome::kUnit);
  EXPECT_EQ(parsed.size, bytes.size() - 6);
  EXPECT_EQ(unit.op, Op::kPub);
  EXPECT_EQ(unit.subject, "foo.bar");
  EXPECT_EQ(unit.reply, "reply");
  EXPECT_EQ(unit.body, "hello");
  EXPECT_EQ(unit.tail, "reply 5\r\nhello\r\n");
}

TEST(ParserTest, ReadsHeaders) {
  Unit unit;
  ASSERT_EQ(Parse("HPUB foo 12 14\r\nNATS/1.0\r\n\r\nok\r\n", unit).outcome, Outcome::kUnit);
  EXPECT_EQ(unit.header_size, 12U);
  EXPECT_EQ(unit.body, "NATS/1.0\r\n\r\nok");
  EXPECT_EQ(unit.tail, "12 14\r\nNATS/1.0\r\n\r\nok\r\n");
  EXPECT_EQ(OutcomeOf("HPUB foo 15 14\r\nNATS/1.0\r\n\r\nok\r\n"), Outcome::kBadArguments);
}

TEST(ParserTest, TakesAnyCaseAnyBlanksAndBareLineFeeds) {
  Unit unit;
  ASSERT_EQ(Parse("pUb\t foo \t  r\t2 \nok\r\n", unit).outcome, Outcome::kUnit);
  EXPECT_EQ(unit.subject, "foo");
  EXPECT_EQ(unit.reply, "r");
  EXPECT_EQ(unit.body, "ok");
  EXPECT_EQ(unit.tail, "");  // not what we would write
  EXPECT_EQ(OutcomeOf("PUB foo 2\nok\r\n"), Outcome::kUnit);
}

TEST(ParserTest, PayloadMustEndInCrLf) {
  EXPECT_EQ(OutcomeOf("PUB foo 2\r\nokx"), Outcome::kUnknown);
  EXPECT_EQ(OutcomeOf("PUB foo 2\r\nok\n"), Outcome::kUnknown);
  EXPECT_EQ(OutcomeOf("PUB foo 2\r\nok\rx"), Outcome::kUnknown);
}

TEST(ParserTest, RefusesWhatIsNoOperationAtItsFirstWrongByte) {
  for (const char* bytes : {"X", "\r\n", "\n", "PUX", "PI]", "MSG foo 1 2\r\n", "RMSG", "RS+ ",
                            "A+ ", "GET / HTTP/1.1\r\n", "SUBSCRIBE", "PUB\r\n", " PING\r\n"}) {
    EXPECT_EQ(OutcomeOf(bytes), Outcome::kUnknown) << bytes;
  }
}

TEST(ParserTest, RefusesWrongArguments) {
  for (const char* bytes :
       {"PUB foo\r\n", "PUB foo a b 3\r\n", "PUB foo -1\r\n", "PUB foo 1234567890\r\n",
        "PUB foo 1x\r\n", "PUB \r\n", "HPUB foo 5\r\n", "HPUB foo a b 1 2\r\n"}) {
    EXPECT_EQ(OutcomeOf(bytes), Outcome::kBadArguments) << bytes;
  }
}

TEST(ParserTest, IgnoresWhatComesBehindPing) {
  Unit unit;
  EXPECT_EQ(Parse("PING xx\r\n", unit).outcome, Outcome::kUnit);
  EXPECT_EQ(Parse("pong\n", unit).outcome, Outcome::kUnit);
  EXPECT_EQ(unit.op, Op::kPong);
}

TEST(ParserTest, LimitsAreKept) {
  const ParserLimits limits{.max_control_line = 32, .max_payload = 100};
  EXPECT_EQ(OutcomeOf("PUB foo 100\r\n", limits), Outcome::kMore);
  EXPECT_EQ(OutcomeOf("PUB foo 101\r\n", limits), Outcome::kPayloadTooLarge);
  EXPECT_EQ(OutcomeOf("SUB " + std::string(30, 'a') + " 1\r\n", limits), Outcome::kUnit);
  EXPECT_EQ(OutcomeOf("SUB " + std::string(31, 'a') + " 1\r\n", limits), Outcome::kLineTooLong);
  EXPECT_EQ(OutcomeOf("SUB " + std::string(100, 'a'), limits), Outcome::kLineTooLong);
}

TEST(ParserTest, EveryPrefixAsksForMore) {
  for (const std::string bytes :
       {"PUB foo.bar reply 5\r\nhello\r\n", "HPUB foo 12 14\r\nNATS/1.0\r\n\r\nok\r\n",
        "SUB foo q 1\r\n", "UNSUB 1 5\r\n", "CONNECT {}\r\n", "PING\r\n", "+OK\r\n",
        "-ERR x\r\n"}) {
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      Unit unit;
      const Parsed parsed = Parse(bytes.substr(0, size), unit);
      EXPECT_EQ(parsed.outcome, Outcome::kMore) << bytes.substr(0, size);
      EXPECT_GT(parsed.size, size);
      EXPECT_LE(parsed.size, bytes.size());
    }
    EXPECT_EQ(OutcomeOf(bytes), Outcome::kUnit);
  }
}

TEST(ParserTest, TheFastWayAgrees) {
  const ParserLimits limits{.max_control_line = 64, .max_payload = 64};
  const std::vector<std::string> all{"PUB foo 2\r\nok\r\n",
                                     "PUB foo 123 2\r\nok\r\n",
                                     "PUB foo r 2\r\nok\r\nPING\r\n",
                                     "PUB foo  2\r\nok\r\n",
                                     "PUB foo\t2\r\nok\r\n",
                                     "PUB foo 2 \r\nok\r\n",
                                     "pub foo 2\r\nok\r\n",
                                     "PUB foo 2\nok\r\n",
                                     "PUB foo 2\r\nokxx",
                                     "PUB foo a b 2\r\nok\r\n",
                                     "PUB foo 0000000002\r\nok\r\n",
                                     "PUB foo 000000002\r\nok\r\n",
                                     "HPUB foo 2 2\r\nok\r\n",
                                     "HPUB foo r 1 2\r\nok\r\n",
                                     "HPUB foo 1 2 2\r\nok\r\n",
                                     "HPUB foo 3 2\r\nok\r\n",
                                     "PUB foo 65\r\n" + std::string(65, 'x') + "\r\n",
                                     "PUB " + std::string(62, 'x') + " 1\r\na\r\n",
                                     "PUB foo\r 2\r\nok\r\n",
                                     "PUB foo"};
  int understood = 0;
  for (const std::string& bytes : all) {
    for (const std::string_view expected : {"", "foo", "other"}) {
      Unit fast;
      Unit slow;
      std::size_t size = 0;
      if (!ParsePublish(bytes, limits, expected, fast, size)) continue;
      ++understood;
      const Parsed parsed = ParseUnit(bytes, limits, slow);
      ASSERT_EQ(parsed.outcome, Outcome::kUnit) << bytes;
      EXPECT_EQ(parsed.size, size) << bytes;
      EXPECT_EQ(fast.op, slow.op);
      EXPECT_EQ(fast.subject, slow.subject);
      EXPECT_EQ(fast.reply, slow.reply);
      EXPECT_EQ(fast.header_size, slow.header_size);
      EXPECT_EQ(fast.body, slow.body);
      EXPECT_EQ(fast.tail, slow.tail);
      EXPECT_EQ(fast.expected, fast.subject == expected);
    }
  }
  EXPECT_EQ(understood, 3 * 8);
}

}  // namespace
}  // namespace micro::natsd
