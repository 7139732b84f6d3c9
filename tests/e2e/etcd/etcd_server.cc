#include "etcd/etcd_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include <micro/testing/registry_conformance.h>

#include "socket.h"

namespace micro::e2e {
namespace {

bool IsFree(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool free =
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(socket);
  return free;
}

// Below those that the kernel hands out, so that it stays ours while the server is down.
int FreePort() {
  std::random_device random;
  std::uniform_int_distribution ports(12000, 32000);
  int port = ports(random);
  while (!IsFree(port)) port = ports(random);
  return port;
}

std::string Output(const std::string& command) {
  std::string output;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> bytes{};
  for (std::size_t size = 0; (size = std::fread(bytes.data(), 1, bytes.size(), pipe)) > 0;) {
    output.append(bytes.data(), size);
  }
  ::pclose(pipe);
  return output;
}

bool OnPath(const std::string& program) {
  return !Output("command -v " + program + " 2>/dev/null").empty();
}

}  // namespace

bool EtcdServer::Installed() { return OnPath("etcd") && OnPath("etcdctl"); }

EtcdServer::EtcdServer(std::vector<std::string> arguments, std::string scheme)
    : arguments_(std::move(arguments)),
      scheme_(std::move(scheme)),
      port_(FreePort()),
      peer_port_(FreePort()) {}

EtcdServer::EtcdServer(const EtcdServer& before)
    : arguments_(before.arguments_),
      scheme_(before.scheme_),
      data_(before.data_),
      port_(FreePort()),
      peer_port_(FreePort()) {}

void EtcdServer::Join(std::vector<std::unique_ptr<EtcdServer>>& members) {
  std::string cluster;
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i]->name_ = "member" + std::to_string(i);
    cluster += (i == 0 ? "" : ",") + members[i]->name_ + "=http://" + members[i]->peer();
  }
  for (auto& member : members) member->arguments_.push_back("--initial-cluster=" + cluster);
}

void EtcdServer::Start(bool wait) {
  const std::string own = "http://" + peer();
  std::vector<std::string> arguments = arguments_;
  arguments.insert(arguments.begin(),
                   {"--name=" + name_, "--data-dir=" + data_, "--listen-client-urls=" + url(),
                    "--advertise-client-urls=" + url(), "--listen-peer-urls=" + own,
                    "--initial-advertise-peer-urls=" + own, "--logger=zap",
                    "--log-outputs=" + (folder_ / "log")});
  if (arguments_.empty() || !arguments_.back().starts_with("--initial-cluster=")) {
    arguments.push_back("--initial-cluster=" + name_ + "=" + own);
  }
  arguments.insert(arguments.begin(), "etcd");
  child_ = std::make_unique<Child>("/usr/bin/env", arguments);
  if (!wait) return;
  EXPECT_TRUE(testing::Eventually([&] { return Socket::Dial(address()).connected(); }))
      << Output("tail -n 20 " + (folder_ / "log"));
}

void EtcdServer::Wipe() { std::filesystem::remove_all(data_); }

std::string EtcdServer::Ctl(const std::string& words, const std::string& flags) const {
  return Output("ETCDCTL_API=3 etcdctl --endpoints=" + url() + " " + flags + " " + words + " 2>&1");
}

void EtcdServer::Put(const std::string& key, const std::string& value) const {
  EXPECT_EQ(Ctl("put -- '" + key + "' '" + value + "'"), "OK\n");
}

std::string EtcdServer::Get(const std::string& key) const {
  std::string value = Ctl("get --print-value-only -- '" + key + "'");
  if (value.ends_with('\n')) value.pop_back();
  return value;
}

std::string EtcdServer::Revision() const {
  const std::string status = Ctl("endpoint status --write-out=json");
  const std::string mark = "\"revision\":";
  const std::size_t from = status.find(mark) + mark.size();
  return status.substr(from, status.find_first_not_of("0123456789", from) - from);
}

}  // namespace micro::e2e
