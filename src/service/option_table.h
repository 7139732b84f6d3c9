#pragma once

#include <functional>
#include <string>
#include <vector>

#include "micro/error.h"
#include "micro/options.h"

namespace micro::service {

/// One option: how it is named, what it says in --help, and where a value given for it goes.
struct OptionRow {
  std::string flag;         ///< without dashes
  std::string environment;  ///< empty: none
  std::string help;
  std::string value;    ///< in effect before anything is read, as text
  bool many = false;    ///< may be given repeatedly
  bool toggle = false;  ///< true when given without a value
  std::function<Status(const std::vector<std::string>&)> assign;
};

/// The table: the library's options and then the program's own. Assigning writes to `options`,
/// which must stay where it is.
std::vector<OptionRow> OptionTable(ServiceOptions& options);

/// Reads environment and command line into the table's options; the command line wins, and only
/// what was given is assigned. Flags take one dash or two. Returns what stood beside the flags.
/// Errors have Phase::kConfigure, in one sentence; --help is one of Phase::kUsage with the text.
Result<std::vector<std::string>> ReadOptions(ServiceOptions& options, int argc, char** argv);

/// The text of --help.
std::string HelpText(const std::vector<OptionRow>& rows, const std::string& program,
                     const std::string& arguments);

}  // namespace micro::service
