#pragma once

#include <string>
#include <string_view>

namespace bench {

/// The value of `--name=value` on a command line, or `otherwise`. For the programs that the
/// benchmarks compare with, which have nothing of the library's.
inline std::string FlagValue(int argc, char** argv, std::string_view name, std::string otherwise) {
  const std::string prefix = "--" + std::string(name) + "=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(prefix)) return std::string(argument.substr(prefix.size()));
  }
  return otherwise;
}

}  // namespace bench
