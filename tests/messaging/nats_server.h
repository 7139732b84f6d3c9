#pragma once

#include <memory>
#include <string>
#include <vector>

#include "child.h"
#include "net/testing/certificates.h"

namespace micro::messaging {

/// A real nats-server on a port of the loopback that nobody else uses, with its data in a folder of
/// its own.
class NatsServer {
 public:
  /// Whether this machine has one; a test that needs it is skipped without.
  static bool Installed();

  /// `arguments`: flags beside those for address and data.
  explicit NatsServer(std::vector<std::string> arguments = {});

  /// Starts it, and waits until it listens.
  void Start();
  /// Ends it at once, as a crash does.
  void Kill() { child_.reset(); }
  void Signal(int signal) const { child_->Signal(signal); }

  /// "127.0.0.1:port".
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string port() const { return std::to_string(port_); }
  /// Where files for it may be put.
  std::string operator/(const std::string& name) const { return folder_ / name; }
  std::string log() const;

 private:
  std::vector<std::string> arguments_;
  const net::testing::Folder folder_;
  int port_;
  std::unique_ptr<e2e::Child> child_;
};

/// A port of the loopback that is free, below those that the kernel hands out.
int FreePort();

}  // namespace micro::messaging
