#pragma once

#include <string>
#include <vector>

#include "micro/error.h"

#include "natsd/config/parser.h"
#include "natsd/options.h"

namespace micro::natsd::config {

/// Everything that a program which serves NATS can be told.
struct Configuration {
  Options server = {};
  std::string log_file = {};  ///< empty: stderr
  std::string pid_file = {};
  bool log_time = true;
  /// What was said and is left alone, a sentence each: for the log.
  std::vector<std::string> ignored = {};
};

/// Reads nats-server's configuration file at `path` on top of what `configuration` has.
/// INVALID_ARGUMENT with Phase::kConfigure, "file:line: what is wrong", for what cannot be and for
/// keys that are unknown. What belongs to parts of nats-server that are not here and cannot matter
/// (JetStream, leaf nodes, websockets…) is ignored, and named in `ignored`.
Status ReadConfiguration(const std::string& path, const Sources& sources,
                         Configuration& configuration);

}  // namespace micro::natsd::config
