#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
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

/// What the file holds that `--name=file` names; nothing without the flag.
inline std::string FlagFile(int argc, char** argv, std::string_view name) {
  const std::string path = FlagValue(argc, argv, name, "");
  if (path.empty()) return {};
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.empty()) {
    std::fprintf(stderr, "%s cannot be read, or is empty\n", path.c_str());
    std::exit(1);
  }
  return text;
}

}  // namespace bench
