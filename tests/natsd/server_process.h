#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wire.h"

namespace micro::natsd::testing {

/// The program that the tests are about: $NATS_SERVER, or micro-nats-server of this build.
std::string ProgramUnderTest();
/// Whether that is ours.
bool IsOurs();
/// Debian's nats-server; nothing where it is not installed.
std::optional<std::string> TheirProgram();

/// A folder that goes when this goes.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A server as a process of its own, on ports that were free. It is killed when this goes.
class ServerProcess {
 public:
  struct Options {
    std::string program = {};  ///< empty: ProgramUnderTest()
    bool cluster = false;      ///< with a port for routes
    std::vector<std::string> flags = {};
  };

  /// `configuration`: what else is in the file.
  explicit ServerProcess(const std::string& configuration = "")
      : ServerProcess(configuration, {}) {}
  ServerProcess(const std::string& configuration, const Options& options);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  std::uint16_t client_port() const { return client_port_; }
  std::uint16_t route_port() const { return route_port_; }
  std::uint16_t monitor_port() const { return monitor_port_; }
  std::string route_url() const { return "nats-route://127.0.0.1:" + std::to_string(route_port_); }
  pid_t pid() const { return pid_; }
  const Folder& folder() const { return folder_; }

  /// A client that has said `connect` (JSON) and been answered.
  Wire Client(const std::string& connect = R"({"verbose":false,"pedantic":false})") const;
  /// A connection that has read INFO and said nothing.
  Wire Stranger() const { return Wire(client_port_); }

  void Signal(int number) const;
  /// Waits for its end: its exit code, or minus the signal that killed it.
  int Wait();
  void Kill();
  /// Its log.
  std::string Words() const;

 private:
  void Spawn(const std::string& program, const std::vector<std::string>& flags);
  void AwaitPorts();

  Folder folder_;
  pid_t pid_ = -1;
  std::uint16_t client_port_ = 0;
  std::uint16_t route_port_ = 0;
  std::uint16_t monitor_port_ = 0;
};

/// What a program said and how it ended, for those that end by themselves.
struct Ended {
  int code = -1;
  std::string words;
};
Ended RunProgram(const std::vector<std::string>& arguments);

}  // namespace micro::natsd::testing
