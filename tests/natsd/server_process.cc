#include "server_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace micro::natsd::testing {
namespace {

using namespace std::chrono_literals;

std::string TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

pid_t Start(const std::vector<std::string>& words, const std::string& log) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

int EndOf(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::uint16_t PortOf(const nlohmann::json& ports, const char* key) {
  if (!ports.contains(key) || ports[key].empty()) return 0;
  const std::string url = ports[key][0];
  return static_cast<std::uint16_t>(std::atoi(url.substr(url.rfind(':') + 1).c_str()));
}

}  // namespace

std::string ProgramUnderTest() {
  const char* chosen = std::getenv("NATS_SERVER");
  return chosen != nullptr ? chosen : NATSD_BIN "/micro-nats-server";
}

bool IsOurs() { return std::getenv("NATS_SERVER") == nullptr; }

std::optional<std::string> TheirProgram() {
  for (const char* path : {"/usr/sbin/nats-server", "/usr/bin/nats-server"}) {
    if (std::filesystem::exists(path)) return path;
  }
  return std::nullopt;
}

Folder::Folder() {
  std::string pattern = std::filesystem::temp_directory_path() / "natsd-XXXXXX";
  path_ = ::mkdtemp(pattern.data());
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

ServerProcess::ServerProcess(const std::string& configuration, const Options& options) {
  std::ofstream(folder_ / "server.conf")
      << "host: 127.0.0.1\nport: -1\nhttp: \"127.0.0.1:-1\"\nports_file_dir: \"" << folder_.path()
      << "\"\n"
      << (options.cluster ? "cluster { listen: \"127.0.0.1:-1\" }\n" : "") << configuration << "\n";
  Spawn(options.program.empty() ? ProgramUnderTest() : options.program, options.flags);
  AwaitPorts();
}

ServerProcess::~ServerProcess() {
  if (::testing::Test::HasFailure()) std::fputs(Words().c_str(), stderr);
  Kill();
}

void ServerProcess::Spawn(const std::string& program, const std::vector<std::string>& flags) {
  std::vector<std::string> words = {program, "-c", folder_ / "server.conf"};
  words.insert(words.end(), flags.begin(), flags.end());
  pid_ = Start(words, folder_ / "log");
}

void ServerProcess::AwaitPorts() {
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < until) {
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
      if (file.path().extension() != ".ports") continue;
      const auto ports = nlohmann::json::parse(TextOf(file.path()), nullptr, false);
      if (ports.is_discarded()) break;
      client_port_ = PortOf(ports, "nats");
      route_port_ = PortOf(ports, "cluster");
      monitor_port_ = PortOf(ports, "monitoring");
      return;
    }
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) break;
    std::this_thread::sleep_for(5ms);
  }
  ADD_FAILURE() << "the server did not start:\n" << Words();
}

Wire ServerProcess::Client(const std::string& connect) const {
  Wire wire(client_port_);
  wire.Send("CONNECT " + connect + "\r\n");
  wire.Sync();
  return wire;
}

void ServerProcess::Signal(int number) const { ::kill(pid_, number); }

int ServerProcess::Wait() {
  const int code = EndOf(pid_);
  pid_ = -1;
  return code;
}

void ServerProcess::Kill() {
  if (pid_ <= 0) return;
  Signal(SIGKILL);
  Wait();
}

std::string ServerProcess::Words() const { return TextOf(folder_ / "log"); }

Ended RunProgram(const std::vector<std::string>& arguments) {
  const Folder folder;
  std::vector<std::string> words = {ProgramUnderTest()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const int code = EndOf(Start(words, folder / "log"));
  return {.code = code, .words = TextOf(folder / "log")};
}

}  // namespace micro::natsd::testing
