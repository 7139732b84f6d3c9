#include "registry/dns/exchange.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <system_error>

#include <boost/asio/ip/tcp.hpp>

namespace micro::dns_registry {
namespace {

using namespace std::chrono_literals;

// What servers may send in one datagram without fragments (EDNS, RFC 6891; DNS flag day 2020).
constexpr std::uint16_t kDatagram = 1232;
constexpr std::uint16_t kTypeOpt = 41;
constexpr std::size_t kMostOctets = 65535;
// Datagrams that are no answer; whoever sends so many is no server.
constexpr int kMostAstray = 64;
// Between two looks at whether to go on.
constexpr auto kSlice = 50ms;

Failure Errno(const HostPort& server, const std::string& what) {
  return Unavailable(what + " " + JoinHostPort(server.host, server.port) + ": " +
                     std::generic_category().message(errno));
}

Failure Late(const HostPort& server) {
  return Unavailable("no answer from " + JoinHostPort(server.host, server.port));
}

// Nobody who does not see the question shall guess it.
std::uint16_t UnguessableId() {
  std::random_device random;
  return static_cast<std::uint16_t>(random());
}

std::string Lowered(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

bool Answers(const dns::Message& answer, const dns::Message& query) {
  if (!answer.is_response() || answer.id != query.id) return false;
  if (answer.questions.size() != 1) return answer.questions.empty();
  const dns::Question& asked = query.questions[0];
  const dns::Question& echoed = answer.questions[0];
  return echoed.type == asked.type && echoed.klass == asked.klass &&
         Lowered(echoed.name.wire()) == Lowered(asked.name.wire());
}

// One socket, connected, so that the kernel drops what others send.
class Socket {
 public:
  Socket(const HostPort& server, int type, const Patience& patience)
      : server_(server), type_(type), patience_(patience) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }

  Status Connect();
  Status Send(std::string_view octets);
  /// What comes next, at most `most` octets; nothing: the peer ended.
  Result<std::string> Receive(std::size_t most);
  Result<std::string> ReceiveAll(std::size_t octets);

 private:
  Status Wait(short events);

  const HostPort& server_;
  const int type_;
  const Patience& patience_;
  int fd_ = -1;
};

Status Socket::Connect() {
  boost::system::error_code error;
  const auto host = boost::asio::ip::make_address(server_.host, error);
  if (error) return InvalidArgument("no address of a nameserver: " + server_.host);
  const boost::asio::ip::tcp::endpoint to(host, server_.port);
  fd_ = socket(to.protocol().family(), type_ | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return Errno(server_, "socket for");
  if (connect(fd_, to.data(), static_cast<socklen_t>(to.size())) == 0) return Ok();
  if (errno != EINPROGRESS) return Errno(server_, "cannot reach");
  if (Status ready = Wait(POLLOUT); !ready) return ready;
  int failure = 0;
  socklen_t size = sizeof failure;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &failure, &size);
  errno = failure;
  return failure == 0 ? Ok() : Errno(server_, "cannot reach");
}

Status Socket::Wait(short events) {
  while (true) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (now >= patience_.until || (patience_.stopped && patience_.stopped())) return Late(server_);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience_.until - now);
    pollfd wait{.fd = fd_, .events = events, .revents = 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::min<Duration>(left, kSlice) / 1ms));
    if (ready > 0) return Ok();
    if (ready < 0 && errno != EINTR) return Errno(server_, "waiting for");
  }
}

Status Socket::Send(std::string_view octets) {
  while (!octets.empty()) {
    const auto sent = send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      return Errno(server_, "sending to");
    } else if (Status ready = Wait(POLLOUT); !ready) {
      return ready;
    }
  }
  return Ok();
}

Result<std::string> Socket::Receive(std::size_t most) {
  std::string octets(most, '\0');
  while (true) {
    if (Status ready = Wait(POLLIN); !ready) return Fails(ready.error());
    const auto got = recv(fd_, octets.data(), octets.size(), MSG_DONTWAIT);
    if (got >= 0) {
      octets.resize(static_cast<std::size_t>(got));
      return octets;
    }
    if (errno != EAGAIN && errno != EINTR) return Errno(server_, "reading from");
  }
}

Result<std::string> Socket::ReceiveAll(std::size_t octets) {
  std::string all;
  while (all.size() < octets) {
    const auto part = Receive(octets - all.size());
    if (!part) return part;
    if (part->empty()) return Late(server_);
    all += *part;
  }
  return all;
}

Result<dns::Message> OverUdp(const HostPort& server, const dns::Message& query,
                             const std::string& packet, const Patience& patience,
                             const Complain& complain) {
  Socket socket(server, SOCK_DGRAM, patience);
  if (const Status ready = socket.Connect(); !ready) return Fails(ready.error());
  if (const Status sent = socket.Send(packet); !sent) return Fails(sent.error());
  for (int astray = 0; astray < kMostAstray; ++astray) {
    const auto datagram = socket.Receive(kMostOctets);
    if (!datagram) return Fails(datagram.error());
    auto answer = dns::Parse(*datagram);
    if (answer && Answers(*answer, query)) return *std::move(answer);
    if (!complain) continue;
    complain("from nameserver " + JoinHostPort(server.host, server.port) + ": " +
             (answer ? "an answer to another question" : answer.error().detail()));
  }
  return Late(server);
}

Result<dns::Message> OverTcp(const HostPort& server, const dns::Message& query,
                             const std::string& packet, const Patience& patience) {
  Socket socket(server, SOCK_STREAM, patience);
  if (const Status ready = socket.Connect(); !ready) return Fails(ready.error());
  const std::string size = {static_cast<char>(packet.size() >> 8),
                            static_cast<char>(packet.size() & 0xff)};
  if (const Status sent = socket.Send(size + packet); !sent) return Fails(sent.error());
  const auto prefix = socket.ReceiveAll(2);
  if (!prefix) return Fails(prefix.error());
  const auto octet = [&](std::size_t at) { return static_cast<unsigned char>((*prefix)[at]); };
  const auto octets = socket.ReceiveAll(static_cast<std::size_t>(octet(0)) << 8 | octet(1));
  if (!octets) return Fails(octets.error());
  auto answer = dns::Parse(*octets);
  if (answer && Answers(*answer, query)) return answer;
  return Unavailable("nonsense over TCP from " + JoinHostPort(server.host, server.port));
}

}  // namespace

Result<dns::Message> Exchange(const HostPort& server, const dns::Question& question, bool edns,
                              const Patience& patience, const Complain& complain) {
  dns::Message query{.id = UnguessableId(), .flags = dns::kFlagRecursionDesired};
  query.questions = {question};
  if (edns) query.additional = {{.klass = kDatagram, .data = dns::Opaque{.type = kTypeOpt}}};
  const auto packet = dns::Build(query);
  if (!packet) return Fails(packet.error());
  auto answer = OverUdp(server, query, *packet, patience, complain);
  if (!answer || (answer->flags & dns::kFlagTruncated) == 0) return answer;
  return OverTcp(server, query, *packet, patience);
}

}  // namespace micro::dns_registry
