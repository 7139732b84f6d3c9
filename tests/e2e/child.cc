#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

extern char** environ;

namespace micro::e2e {
namespace {

constexpr int kPatience = 30'000;  // milliseconds

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Ours, without the variables that a developer's shell may have set for the library.
std::vector<std::string> Environment(const std::vector<std::string>& more) {
  std::vector<std::string> environment = more;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("MICRO_")) environment.emplace_back(*entry);
  }
  return environment;
}

}  // namespace

Child::Child(const std::string& program, const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  pipe_ = ends[0];
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), std::filesystem::path(E2E_BIN) / program);
  std::vector<std::string> variables = Environment(environment);
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  ::posix_spawn(&pid_, words[0].c_str(), &actions, nullptr, Pointers(words).data(),
                Pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
}

Child::~Child() {
  if (pid_ > 0 && !exit_code_) {
    Signal(SIGKILL);
    Wait();
  }
  ::close(pipe_);
}

bool Child::ReadMore() {
  pollfd ready{.fd = pipe_, .events = POLLIN, .revents = 0};
  if (::poll(&ready, 1, kPatience) <= 0) return false;
  std::array<char, 4096> bytes{};
  const ssize_t size = ::read(pipe_, bytes.data(), bytes.size());
  if (size <= 0) return false;
  output_.append(bytes.data(), static_cast<std::size_t>(size));
  return true;
}

bool Child::WaitFor(std::string_view text) {
  while (output_.find(text) == std::string::npos) {
    if (!ReadMore()) return false;
  }
  return true;
}

std::string Child::After(std::string_view text) {
  if (!WaitFor(text)) return "";
  const std::size_t from = output_.find(text) + text.size();
  while (output_.find('\n', from) == std::string::npos) {
    if (!ReadMore()) break;
  }
  return output_.substr(from, output_.find('\n', from) - from);
}

void Child::Signal(int signal) const {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  siginfo_t changed{};  // one that is stopped is waited for, or it might still do a little
  if (signal == SIGSTOP) ::waitid(P_PID, pid_, &changed, WSTOPPED | WEXITED | WNOWAIT);
}

long Child::peak_memory() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string word; status >> word;) {
    long size = 0;
    if (word == "VmHWM:" && status >> size) return size;
  }
  return 0;
}

int Child::open_files() const {
  const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid_) + "/fd");
  return static_cast<int>(std::distance(begin(files), end(files)));
}

int Child::Wait() {
  if (exit_code_ || pid_ <= 0) return exit_code_.value_or(-1);
  while (ReadMore()) {
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return *exit_code_;
}

}  // namespace micro::e2e
