#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "micro/error.h"

#include "net/dns/name.h"

/// DNS messages as RFC 1035 (section 4) and RFC 2782 lay them out: read and written.
namespace micro::dns {

enum class Type : std::uint16_t {
  kA = 1,
  kCname = 5,
  kPtr = 12,
  kTxt = 16,
  kAaaa = 28,
  kSrv = 33,
  kAny = 255
};

inline constexpr std::uint16_t kClassIn = 1;
/// The top bit of a class: "answer me by unicast" in a question, "flush your cache" in a record.
inline constexpr std::uint16_t kClassTopBit = 0x8000;
inline constexpr std::uint16_t kFlagResponse = 0x8000;
inline constexpr std::uint16_t kFlagAuthoritative = 0x0400;
inline constexpr std::uint16_t kFlagTruncated = 0x0200;
inline constexpr std::uint16_t kFlagRecursionDesired = 0x0100;
inline constexpr std::uint16_t kOpcodeMask = 0x7800;
inline constexpr std::uint16_t kRcodeMask = 0x000f;

struct Question {
  Name name{};
  Type type = Type::kAny;
  std::uint16_t klass = kClassIn;

  bool operator==(const Question&) const = default;
};

struct Ptr {
  Name target{};
  bool operator==(const Ptr&) const = default;
};

struct Srv {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  Name target{};
  bool operator==(const Srv&) const = default;
};

struct A {
  std::array<std::uint8_t, 4> octets{};
  bool operator==(const A&) const = default;
};

struct Aaaa {
  std::array<std::uint8_t, 16> octets{};
  bool operator==(const Aaaa&) const = default;
};

struct Txt {
  std::vector<std::string> strings{};  ///< each of at most 255 octets
  bool operator==(const Txt&) const = default;
};

struct Cname {
  Name target{};
  bool operator==(const Cname&) const = default;
};

/// A record of a type that is not read; the names in it may be compressed.
struct Opaque {
  std::uint16_t type = 0;
  std::string data{};
  bool operator==(const Opaque&) const = default;
};

using RecordData = std::variant<Ptr, Srv, A, Aaaa, Txt, Cname, Opaque>;

struct Record {
  Name name{};
  std::uint16_t klass = kClassIn;
  std::uint32_t ttl = 0;
  RecordData data{};

  bool operator==(const Record&) const = default;
};

struct Message {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::vector<Question> questions{};
  std::vector<Record> answers{};
  std::vector<Record> authority{};
  std::vector<Record> additional{};

  bool is_response() const { return (flags & kFlagResponse) != 0; }
  bool operator==(const Message&) const = default;
};

/// Reads one datagram. What follows the last record is ignored. INVALID_ARGUMENT, saying which
/// octet, for a message that is cut short or breaks the format; compression pointers must point
/// backwards, so that no name can loop.
Result<Message> Parse(std::string_view packet);

/// Writes `message` with compressed names, but for SRV targets (RFC 2782 forbids it there).
/// INVALID_ARGUMENT for a text string of more than 255 octets and for what exceeds a datagram.
Result<std::string> Build(const Message& message);

}  // namespace micro::dns
