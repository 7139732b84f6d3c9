#pragma once

#include <memory>
#include <string>
#include <vector>

#include "child.h"
#include "net/testing/certificates.h"

namespace micro::e2e {

/// A real etcd of one member, on ports of the loopback that nobody else uses, with its data in a
/// folder of its own.
class EtcdServer {
 public:
  /// Whether this machine has etcd and etcdctl; a test that needs them is skipped without.
  static bool Installed();

  /// `arguments`: flags beside those for addresses and data. `scheme`: "http", or "https" for a
  /// server whose certificate `arguments` name.
  explicit EtcdServer(std::vector<std::string> arguments = {}, std::string scheme = "http");
  /// On other ports, with the data of `before`, which must not run meanwhile and must outlive this.
  explicit EtcdServer(const EtcdServer& before);
  EtcdServer& operator=(const EtcdServer&) = delete;

  /// Starts it, and waits until it answers (unless `wait` is false).
  void Start(bool wait = true);
  /// Ends it at once, as a crash does.
  void Kill() { child_.reset(); }
  /// Forgets everything it knew; while it does not run.
  void Wipe();
  void Signal(int signal) const { child_->Signal(signal); }

  /// "127.0.0.1:port", of its clients and of its peers.
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string peer() const { return "127.0.0.1:" + std::to_string(peer_port_); }
  std::string url() const { return scheme_ + "://" + address(); }

  /// What `etcdctl WORDS` says; its endpoint and `flags` are put in. The words go through a shell.
  std::string Ctl(const std::string& words, const std::string& flags = "") const;
  void Put(const std::string& key, const std::string& value) const;
  /// The value at `key`; empty without.
  std::string Get(const std::string& key) const;
  /// The revision of its store.
  std::string Revision() const;

  /// The flags of a cluster of three, to be given to each before it is started.
  static void Join(std::vector<std::unique_ptr<EtcdServer>>& members);

 private:
  std::vector<std::string> arguments_;
  const std::string scheme_;
  const net::testing::Folder folder_;
  const std::string data_ = folder_ / "data";
  int port_;
  int peer_port_;
  std::string name_ = "default";
  std::unique_ptr<Child> child_;
};

}  // namespace micro::e2e
