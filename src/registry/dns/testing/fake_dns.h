#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "net/dns/message.h"

namespace micro::dns_registry::testing {

/// A nameserver on 127.0.0.1, over UDP and TCP on one port, that answers what a test has it answer.
class FakeDns final {
 public:
  struct Heard {
    dns::Message query;
    bool tcp = false;
    /// "A greeter.example", for a test to compare.
    std::string Text() const;
  };
  /// The datagrams, or the one message over TCP, that go back.
  using Script = std::function<std::vector<std::string>(const Heard&)>;

  explicit FakeDns(Script script) : script_(std::move(script)) {
    // A port that is free for both: TCP's choice, unless UDP's is taken by somebody else.
    for (int tries = 0; tries < 20 && udp_ < 0; ++tries) Open();
    EXPECT_GE(udp_, 0);
    thread_ = std::thread([this] { Run(); });
  }
  FakeDns(const FakeDns&) = delete;
  FakeDns& operator=(const FakeDns&) = delete;
  ~FakeDns() {
    stop_ = true;
    thread_.join();
    close(udp_);
    close(tcp_);
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  std::vector<std::string> heard() const {
    const std::scoped_lock lock(mutex_);
    return heard_;
  }

 private:
  void Open() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    tcp_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(tcp_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(listen(tcp_, 16), 0);
    EXPECT_EQ(getsockname(tcp_, reinterpret_cast<sockaddr*>(&at), &size), 0);
    port_ = ntohs(at.sin_port);
    udp_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(udp_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0) return;
    close(std::exchange(udp_, -1));
    close(std::exchange(tcp_, -1));
  }

  void Run() {
    while (!stop_) {
      std::array<pollfd, 2> waits = {pollfd{udp_, POLLIN, 0}, pollfd{tcp_, POLLIN, 0}};
      if (poll(waits.data(), waits.size(), 5) <= 0) continue;
      if ((waits[0].revents & POLLIN) != 0) AnswerDatagram();
      if ((waits[1].revents & POLLIN) != 0) AnswerConnection();
    }
  }

  void AnswerDatagram() {
    std::string octets(65536, '\0');
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto got =
        recvfrom(udp_, octets.data(), octets.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    octets.resize(static_cast<std::size_t>(got));
    for (const std::string& each : React(octets, false)) {
      sendto(udp_, each.data(), each.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&from),
             size);
    }
  }

  void AnswerConnection() {
    const int peer = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
    std::array<unsigned char, 2> prefix{};
    if (recv(peer, prefix.data(), prefix.size(), MSG_WAITALL) == 2) {
      std::string octets(static_cast<std::size_t>(prefix[0]) << 8 | prefix[1], '\0');
      recv(peer, octets.data(), octets.size(), MSG_WAITALL);
      for (const std::string& each : React(octets, true)) {
        const std::string whole = std::string{static_cast<char>(each.size() >> 8),
                                              static_cast<char>(each.size() & 0xff)} +
                                  each;
        send(peer, whole.data(), whole.size(), MSG_NOSIGNAL);
      }
    }
    close(peer);
  }

  std::vector<std::string> React(const std::string& octets, bool tcp) {
    const auto query = dns::Parse(octets);
    EXPECT_TRUE(query) << "a query that cannot be read";
    if (!query) return {};
    const Heard heard{.query = *query, .tcp = tcp};
    {
      const std::scoped_lock lock(mutex_);
      heard_.push_back(heard.Text());
    }
    return script_(heard);
  }

  const Script script_;
  int udp_ = -1;
  int tcp_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

inline std::string FakeDns::Heard::Text() const {
  const dns::Question& question = query.questions.at(0);
  const std::map<dns::Type, std::string> names = {
      {dns::Type::kA, "A"}, {dns::Type::kAaaa, "AAAA"}, {dns::Type::kSrv, "SRV"}};
  return (tcp ? "tcp " : "") + names.at(question.type) + " " + question.name.ToText();
}

/// The beginning of an answer to `query`, with `rcode`.
inline dns::Message AnswerTo(const dns::Message& query, std::uint16_t rcode = 0) {
  return {.id = query.id,
          .flags = static_cast<std::uint16_t>(0x8180 | rcode),
          .questions = query.questions};
}

}  // namespace micro::dns_registry::testing
