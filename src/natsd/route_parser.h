#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "natsd/parser.h"

namespace micro::natsd {

/// What another server can say.
enum class RouteOp : std::uint8_t {
  kMessage,  ///< RMSG, HMSG
  kAdd,      ///< RS+
  kRemove,   ///< RS-
  kIgnored,  ///< A+, A-: they matter between clusters only
  kPing,
  kPong,
  kConnect,
  kInfo,
  kOk,
  kErr,
};

/// One operation, as views into what was read.
struct RouteUnit {
  RouteOp op = RouteOp::kPing;
  std::string_view args = {};  ///< what stands behind the operation's name; not of messages

  // Of messages, and the first two of RS+ and RS-.
  std::string_view account = {};
  std::string_view subject = {};
  std::string_view reply = {};
  std::string_view queues = {};  ///< names with spaces between; of RS+ and RS- one, or none
  std::uint32_t weight = 1;      ///< of RS+ with a queue
  bool headers = false;
  std::size_t header_size = 0;
  std::string_view body = {};
  /// As Unit::tail; only where there are no queues.
  std::string_view tail = {};
};

/// Reads the operation that `bytes` begin with, as ParseUnit does.
Parsed ParseRouteUnit(std::string_view bytes, const ParserLimits& limits, RouteUnit& unit);

}  // namespace micro::natsd
