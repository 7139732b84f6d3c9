#pragma once

#include <string>
#include <vector>

#include "micro/error.h"

#include "natsd/config/configuration.h"

namespace micro::natsd::config {

/// What a command line of nats-server's flags asks for.
struct Command {
  enum class Action : std::uint8_t {
    kServe,
    kCheck,   ///< -t: the configuration was read, and that is all
    kSignal,  ///< --signal: tell a server that runs already
    kShowHelp,
    kShowVersion,
  };

  Action action = Action::kServe;
  Configuration configuration = {};
  std::string config_file = {};  ///< empty: none was given
  std::string signal = {};       ///< of kSignal: "ldm", "stop", …
  std::string process = {};  ///< of kSignal: the process's number, or a file with it; may be empty
};

/// Reads the arguments behind the program's name: "-x v", "--x v", "-x=v" and "--x=v". The file
/// that -c names is read first, and what flags say counts more. INVALID_ARGUMENT with
/// Phase::kConfigure for unknown flags and values that cannot be.
Result<Command> ReadCommandLine(const std::vector<std::string>& arguments, const Sources& sources);

/// What -h shows.
std::string HelpText();

}  // namespace micro::natsd::config
