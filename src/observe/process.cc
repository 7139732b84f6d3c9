#include "observe/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "observe/page.h"

namespace micro::observe {
namespace {

std::uint64_t CountEntries(const char* directory) {
  std::error_code error;
  std::uint64_t count = 0;
  for (auto entry = std::filesystem::directory_iterator(directory, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    ++count;
  }
  return count;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessInfo ReadProcess() {
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {.resident = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)),
          .threads = CountEntries("/proc/self/task"),
          .open_files = CountEntries("/proc/self/fd"),
          .cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime)};
}

void WriteProcess(std::string& text, std::chrono::system_clock::time_point started) {
  using FloatSeconds = std::chrono::duration<double>;
  const ProcessInfo info = ReadProcess();
  Page page(text);
  page.Family("process_cpu_seconds_total", "counter", "Time on processors");
  page.Sample("", "", info.cpu_seconds);
  page.Family("process_open_fds", "gauge", "File descriptors that are open");
  page.Sample("", "", info.open_files);
  page.Family("process_resident_memory_bytes", "gauge", "Memory in use");
  page.Sample("", "", info.resident);
  page.Family("process_start_time_seconds", "gauge", "When the service was made, since 1970");
  page.Sample("", "", FloatSeconds(started.time_since_epoch()).count());
  page.Family("process_threads", "gauge", "Threads");
  page.Sample("", "", info.threads);
  page.Family("process_uptime_seconds", "gauge", "Time since the service was made");
  page.Sample("", "", FloatSeconds(std::chrono::system_clock::now() - started).count());
}

}  // namespace micro::observe
