#include "nats_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include <gtest/gtest.h>

#include "eventually.h"
#include "socket.h"

namespace micro::messaging {
namespace {

constexpr std::array kPlaces = {"/usr/sbin/nats-server", "/usr/bin/nats-server",
                                "/usr/local/bin/nats-server"};

std::string Program() {
  for (const std::string place : kPlaces) {
    if (std::filesystem::exists(place)) return place;
  }
  return "";
}

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

}  // namespace

int FreePort() {
  std::random_device random;
  std::uniform_int_distribution ports(12000, 32000);
  int port = ports(random);
  while (!IsFree(port)) port = ports(random);
  return port;
}

bool NatsServer::Installed() { return !Program().empty(); }

NatsServer::NatsServer(std::vector<std::string> arguments)
    : arguments_(std::move(arguments)), port_(FreePort()) {}

void NatsServer::Start() {
  std::vector<std::string> arguments = arguments_;
  arguments.insert(arguments.begin(),
                   {"-a", "127.0.0.1", "-p", port(), "-l", folder_ / "log", "-sd", folder_ / "js"});
  child_ = std::make_unique<e2e::Child>(Program(), arguments);
  EXPECT_TRUE(Eventually([&] { return e2e::Socket::Dial(address()).connected(); })) << log();
}

std::string NatsServer::log() const {
  std::ifstream file(folder_ / "log");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace micro::messaging
