#include "registry/mdns/asker.h"

namespace micro::mdns {
namespace {

// Datagrams read before other work of the loop gets its turn.
constexpr int kBurst = 64;

}  // namespace

Asker::Channel::Channel(boost::asio::io_context& loop, Link on, UdpSocket opened)
    : link(std::move(on)), socket(std::move(opened)), readiness(loop, socket.fd()) {}

// The descriptor stays the socket's to close.
Asker::Channel::~Channel() { readiness.release(); }

void Asker::UseLinks(std::vector<Link> links) {
  links_ = std::move(links);
  channels_.clear();
}

void Asker::Open() {
  if (buffer_.empty()) buffer_.resize(kMaxDatagramOctets);
  for (const Link& link : links_) {
    auto socket = UdpSocket::ForQueries(link);
    if (!socket) continue;
    channels_.push_back(std::make_shared<Channel>(loop_, link, *std::move(socket)));
    Await(channels_.back());
  }
}

Status Asker::Ask(const Message& query) {
  if (channels_.empty()) Open();
  const auto packet = Build(query);
  if (!packet) return Fails(packet.error());
  Status status = Unavailable("no interface to ask on");
  bool asked = false;
  for (const auto& channel : channels_) {
    status = channel->socket.SendToGroup(channel->link, *packet);
    asked = asked || status;
  }
  return asked ? Ok() : status;
}

void Asker::Await(const std::shared_ptr<Channel>& channel) {
  channel->readiness.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [this, weak = std::weak_ptr(channel)](const boost::system::error_code& error) {
        const auto ready = weak.lock();
        if (error || !ready) return;
        Drain(*ready);
        Await(ready);
      });
}

void Asker::Drain(Channel& channel) {
  for (int datagrams = 0; datagrams < kBurst; ++datagrams) {
    const auto datagram = channel.socket.Receive(buffer_);
    if (!datagram) return;
    const auto message = Parse(datagram->payload);
    if (message && message->is_response()) hear_(*message);
  }
}

}  // namespace micro::mdns
