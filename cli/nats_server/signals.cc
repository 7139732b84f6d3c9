#include "signals.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "base/misconfigured.h"

namespace micro::natsd {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 6> kWords = {{{"stop", SIGKILL},
                                                                     {"quit", SIGINT},
                                                                     {"term", SIGTERM},
                                                                     {"reopen", SIGUSR1},
                                                                     {"ldm", SIGUSR2},
                                                                     {"reload", SIGHUP}}};

std::optional<int> ToPid(std::string_view text) {
  int pid = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), pid);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return whole && pid > 1 ? std::optional(pid) : std::nullopt;
}

Result<int> FromFile(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  if (const auto pid = ToPid(word)) return *pid;
  return Misconfigured("\"" + path + "\" is neither a process nor a file with its number");
}

// The other processes that run the program of this one.
std::vector<int> Others() {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto own = fs::read_symlink("/proc/self/exe", error);
  std::vector<int> others;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const auto pid = ToPid(entry.path().filename().string());
    if (!pid || *pid == ::getpid()) continue;
    std::error_code unreadable;
    if (fs::read_symlink(entry.path() / "exe", unreadable) == own) others.push_back(*pid);
  }
  return others;
}

Result<int> OnlyOther() {
  const auto others = Others();
  if (others.size() == 1) return others.front();
  return Misconfigured(others.empty()
                           ? "no other server of this program runs"
                           : "several servers of this program run: say which, as in ldm=PID");
}

}  // namespace

Status SendSignal(const std::string& word, const std::string& process) {
  const auto* known = std::ranges::find(kWords, word, &std::pair<std::string_view, int>::first);
  if (known == kWords.end()) {
    return Misconfigured("unknown signal \"" + word +
                         "\"; known: stop, quit, term, reopen, reload, ldm");
  }
  const auto number = ToPid(process);
  const auto pid = process.empty() ? OnlyOther()
                   : number        ? Result<int>(*number)
                                   : FromFile(process);
  if (!pid) return Failure(pid.error());
  if (::kill(*pid, known->second) == 0) return Ok();
  return Misconfigured("cannot signal process " + std::to_string(*pid) + ": " +
                       std::strerror(errno));
}

}  // namespace micro::natsd
