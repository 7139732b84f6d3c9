#pragma once

#include <filesystem>
#include <string>
#include <string_view>

// The flags that everybody's interop programs have, and how they become options of ours.
namespace grpc_interop {

/// The value of `--name=value` or `--name value` on a command line; `fallback` if it is not there.
/// For what is needed before the Service reads the rest.
inline std::string Given(int argc, char** argv, std::string_view name, std::string fallback) {
  for (int i = 1; i < argc; ++i) {
    std::string_view word(argv[i]);
    if (!word.starts_with("--") || !word.substr(2).starts_with(name)) continue;
    word.remove_prefix(2 + name.size());
    if (word.starts_with('=')) return std::string(word.substr(1));
    if (word.empty()) return i + 1 < argc ? argv[i + 1] : "";
  }
  return fallback;
}

/// Whether `--name` or `--name=true` is there.
inline bool IsGiven(int argc, char** argv, std::string_view name) {
  const std::string value = Given(argc, argv, name, "false");
  return value != "false" && value != "0";
}

/// Where a server that makes its own certificate leaves the CA, and a client looks for it.
inline std::string DefaultCaFile() {
  return (std::filesystem::temp_directory_path() / "micro-grpc-interop-ca.pem").string();
}

}  // namespace grpc_interop
