#include "registry/mdns/query_sockets.h"

#include <poll.h>

#include <random>

namespace micro::mdns {
namespace {

// Nobody matches answers by it (go-micro's carry 0), but a query without one looks odd.
std::uint16_t RandomId() {
  thread_local std::minstd_rand random(std::random_device{}());
  return static_cast<std::uint16_t>(random());
}

timespec ToTimespec(Duration duration) {
  const auto positive = std::max(duration, Duration::zero());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(positive);
  return {.tv_sec = seconds.count(), .tv_nsec = (positive - seconds).count()};
}

}  // namespace

QuerySockets::QuerySockets(const std::vector<Link>& links, BadRecords* bad)
    : bad_(bad), buffer_(kMaxDatagramOctets) {
  for (const Link& link : links) {
    auto socket = UdpSocket::ForQueries(link);
    if (socket) {
      open_.push_back({.link = link, .socket = *std::move(socket)});
    } else {
      failures_ += "; " + Describe({link}) + ": " + socket.error().detail();
    }
  }
}

Status QuerySockets::Ask(const Name& name, std::vector<Record> known) {
  const Message query{.id = RandomId(),
                      .questions = {{.name = name, .type = Type::kPtr}},
                      .answers = std::move(known)};
  const auto packet = Build(query);
  if (!packet) return Fails(packet.error());
  std::string failures = failures_;
  bool sent = false;
  for (Open& each : open_) {
    const Status status = each.socket.SendToGroup(each.link, *packet);
    if (!status) failures += "; " + Describe({each.link}) + ": " + status.error().detail();
    sent = sent || status.has_value();
  }
  if (sent) return Ok();
  return Unavailable("mdns could not ask on any interface" +
                     (failures.empty() ? "; none is up" : failures));
}

std::optional<Message> QuerySockets::Next(TimePoint until) {
  while (packets_ < kMaxPackets) {
    for (Open& each : open_) {
      if (auto message = Read(each.socket)) return message;
    }
    if (!Wait(until)) return std::nullopt;
  }
  return std::nullopt;
}

// Reads over what is malformed, and over queries that went astray.
std::optional<Message> QuerySockets::Read(UdpSocket& socket) {
  while (packets_ < kMaxPackets) {
    const auto datagram = socket.Receive(buffer_);
    if (!datagram) return std::nullopt;
    ++packets_;
    auto message = Parse(datagram->payload);
    if (message && message->is_response()) return *std::move(message);
    if (message) continue;
    ++malformed_;
    if (bad_ == nullptr) continue;
    bad_->Note(message.error().detail() + ", from " + datagram->from.address().to_string());
  }
  return std::nullopt;
}

bool QuerySockets::Wait(TimePoint until) {
  std::vector<pollfd> waits;
  for (const Open& each : open_) waits.push_back({each.socket.fd(), POLLIN, 0});
  while (true) {
    const timespec left = ToTimespec(until - std::chrono::steady_clock::now());
    const int ready = ppoll(waits.data(), waits.size(), &left, nullptr);
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) return false;
  }
}

}  // namespace micro::mdns
