#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace micro::natsd {

/// What a client can say.
enum class Op : std::uint8_t {
  kPub,
  kHpub,
  kSub,
  kUnsub,
  kPing,
  kPong,
  kConnect,
  kInfo,
  kOk,
  kErr
};

/// One operation, as views into what was read.
struct Unit {
  Op op = Op::kPing;
  std::string_view args = {};  ///< what stands behind the operation's name; not of PUB and HPUB

  // Of PUB and HPUB.
  std::string_view subject = {};
  std::string_view reply = {};
  std::size_t header_size = 0;
  std::string_view body = {};  ///< headers and payload
  /// What follows the subject, from the reply or the size to the CRLF behind the payload, if it is
  /// written with single spaces: the line that delivers the message ends in the same bytes.
  std::string_view tail = {};
  /// Whether the subject is the one that was expected.
  bool expected = false;
};

struct ParserLimits {
  std::size_t max_control_line = 4096;
  std::size_t max_payload = 1U << 20U;
};

/// What became of an attempt to read one operation.
enum class Outcome : std::uint8_t {
  kUnit,             ///< it is there
  kMore,             ///< so far it is right, and not all there
  kUnknown,          ///< "Unknown Protocol Operation"
  kBadArguments,     ///< too few, too many, or no numbers
  kLineTooLong,      ///< "maximum control line exceeded"
  kPayloadTooLarge,  ///< "Maximum Payload Violation"
};

struct Parsed {
  Outcome outcome = Outcome::kMore;
  std::size_t size = 0;  ///< kUnit: bytes used up; kMore: bytes there must be for another attempt
};

/// Reads the operation that `bytes` begin with: any letter case, any number of spaces and tabs
/// between fields, lines that end in LF or CRLF. This is the definition of what is understood; it
/// looks at each byte in turn.
Parsed ParseUnit(std::string_view bytes, const ParserLimits& limits, Unit& unit);

/// Reads a PUB or HPUB as clients write them, upper case and single spaces, to the subject
/// `expected` or any other. False where it is anything else, or is not all there: then ParseUnit
/// says what it is. What both understand they understand alike.
bool ParsePublish(std::string_view bytes, const ParserLimits& limits, std::string_view expected,
                  Unit& unit, std::size_t& size);

/// Takes the first field off `text`: what stands ahead of a space, tab or CR. Empty: none is left.
std::string_view TakeField(std::string_view& text);

/// Reads a number of at most nine digits; false for anything else.
bool ReadSize(std::string_view text, std::size_t& size);

}  // namespace micro::natsd
