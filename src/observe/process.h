#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace micro::observe {

/// What the system says of this process.
struct ProcessInfo {
  std::uint64_t resident = 0;  ///< bytes of memory
  std::uint64_t threads = 0;
  std::uint64_t open_files = 0;
  double cpu_seconds = 0;
};
ProcessInfo ReadProcess();

/// Adds Prometheus's usual families of a process to a page's text.
void WriteProcess(std::string& text, std::chrono::system_clock::time_point started);

}  // namespace micro::observe
