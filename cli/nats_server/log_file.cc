#include "log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include "base/misconfigured.h"

namespace micro::natsd {
namespace {

constexpr std::array<std::string_view, 6> kMarks = {"TRC", "DBG", "INF", "WRN", "ERR", "FTL"};

// "2026/01/02 03:04:05.678901 ", in local time.
std::string Now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t clock = std::chrono::system_clock::to_time_t(now);
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  std::tm local{};
  ::localtime_r(&clock, &local);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y/%m/%d %H:%M:%S", &local);
  const std::string fraction = std::to_string(1'000'000 + micros % 1'000'000);
  return std::string(text.data(), length) + "." + fraction.substr(1) + " ";
}

int OpenForAppending(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

void WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // a log that cannot be written must not stop the server
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

Result<std::shared_ptr<LogFile>> LogFile::Open(const std::string& path, const Style& style) {
  std::shared_ptr<LogFile> log(new LogFile(path));
  log->SetStyle(style);
  if (auto opened = log->Reopen(); !opened) return Failure(std::move(opened.error()));
  return log;
}

LogFile::~LogFile() {
  if (!path_.empty()) ::close(descriptor_);
}

Status LogFile::Reopen() {
  if (path_.empty()) return Ok();
  const int fresh = OpenForAppending(path_);
  if (fresh < 0) {
    return Misconfigured("cannot write the log " + path_ + ": " + std::strerror(errno));
  }
  const std::scoped_lock lock(mutex_);
  if (descriptor_ > 2) ::close(descriptor_);
  descriptor_ = fresh;
  return Ok();
}

void LogFile::SetStyle(const Style& style) {
  least_ = style.least;
  time_ = style.time;
}

bool LogFile::Enabled(LogLevel level) const { return level >= least_; }

void LogFile::Write(LogLevel level, std::string_view message) {
  if (!Enabled(level)) return;
  std::string line =
      "[" + std::to_string(::getpid()) + "] " + (time_ ? Now() : std::string()) + "[";
  line.append(kMarks.at(static_cast<std::size_t>(level))).append("] ").append(message).append("\n");
  const std::scoped_lock lock(mutex_);
  WriteAll(descriptor_, line);
}

}  // namespace micro::natsd
