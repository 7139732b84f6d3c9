#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "micro/duration.h"
#include "micro/logger.h"
#include "micro/plugins.h"
#include "micro/trace.h"

namespace micro {

using StringList = std::vector<std::string>;
using StringMap = std::map<std::string, std::string>;

/// A flag of a program's own, beside those of the library. It writes to where `value` points, while
/// the Service is constructed; what is there before is the default.
struct Flag {
  std::string name = {};  ///< "count", given as --count=3 or -count 3; one letter works too
  std::string help = {};
  std::variant<bool*, int*, double*, std::string*, Duration*> value = {};
};

/// Everything about a Service, with defaults. Precedence: command line, then environment, then what
/// is set here, then the default; only what was really given overrides.
struct ServiceOptions {
#define MICRO_OPTION(type, field, flag, value, help) type field = value;
#include "micro/options.def"
#undef MICRO_OPTION
  /// Flags of the program's own.
  std::vector<Flag> flags = {};
  /// What the program takes beside flags, for --help, such as "NAME"; empty: nothing.
  std::string arguments = {};
  Plugins plugins = DefaultPlugins();
  /// Where log lines go; null: to stderr, from `log_level` on.
  std::shared_ptr<Logger> logger = {};
  /// Who takes finished spans, of calls served and made; null: nobody.
  SpanExporter spans = {};
};

}  // namespace micro
