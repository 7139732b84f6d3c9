#include "registry/mdns/udp_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace micro::mdns {
namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

constexpr std::uint32_t kGroup4 = 0xe00000fb;  // 224.0.0.251
constexpr in6_addr kGroup6 = {{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb}}};

// Linux's, of 4.20 and later; not in glibc's headers of Debian 12.
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

Failure Errno(const std::string& what) {
  return Unavailable(what + ": " + std::generic_category().message(errno));
}

bool IsV4(UdpSocket::Family family) { return family == UdpSocket::Family::kV4; }

in_addr RawV4(const Link& link) { return {.s_addr = htonl(link.address.to_v4().to_uint())}; }

Peer MakeV4(std::uint32_t address, std::uint16_t port) {
  Peer endpoint;
  const sockaddr_in raw{.sin_family = AF_INET,
                        .sin_port = htons(port),
                        .sin_addr = {.s_addr = htonl(address)},
                        .sin_zero = {}};
  std::memcpy(endpoint.raw(), &raw, sizeof raw);
  return endpoint;
}

Peer MakeV6(const in6_addr& address, std::uint16_t port, unsigned scope) {
  Peer endpoint;
  const sockaddr_in6 raw{.sin6_family = AF_INET6,
                         .sin6_port = htons(port),
                         .sin6_flowinfo = 0,
                         .sin6_addr = address,
                         .sin6_scope_id = scope};
  std::memcpy(endpoint.raw(), &raw, sizeof raw);
  return endpoint;
}

// By which interface a datagram came and where it was sent to, from the control data the socket
// asked for.
void ReadArrival(msghdr& message, Datagram& datagram) {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
       each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(each), sizeof info);
      datagram.interface_index = static_cast<unsigned>(info.ipi_ifindex);
      datagram.to_group = IN_MULTICAST(ntohl(info.ipi_addr.s_addr));
    }
    if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(each), sizeof info);
      datagram.interface_index = info.ipi6_ifindex;
      datagram.to_group = info.ipi6_addr.s6_addr[0] == 0xff;
    }
  }
}

}  // namespace

boost::asio::ip::address Peer::address() const {
  if (raw()->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage_, sizeof v4);
    return address_v4(ntohl(v4.sin_addr.s_addr));
  }
  address_v6::bytes_type octets;
  std::memcpy(octets.data(), &storage_.sin6_addr, octets.size());
  return address_v6(octets, storage_.sin6_scope_id);
}

UdpSocket::Family FamilyOf(const Link& link) {
  return link.address.is_v4() ? UdpSocket::Family::kV4 : UdpSocket::Family::kV6;
}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(family_, other.family_);
  return *this;
}

UdpSocket::~UdpSocket() {
  if (fd_ >= 0) close(fd_);
}

template <typename Option>
Status UdpSocket::Set(int level, int name, const Option& option) {
  if (setsockopt(fd_, level, name, &option, sizeof option) == 0) return Ok();
  return Errno("socket option " + std::to_string(level) + "/" + std::to_string(name));
}

Result<UdpSocket> UdpSocket::Open(Family family) {
  const int domain = IsV4(family) ? AF_INET : AF_INET6;
  UdpSocket socket(::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), family);
  if (socket.fd_ < 0) return Errno("UDP socket");
  if (!IsV4(family)) {
    if (const Status only = socket.Set(IPPROTO_IPV6, IPV6_V6ONLY, 1); !only)
      return Fails(only.error());
  }
  return socket;
}

Result<UdpSocket> UdpSocket::BindGroupPort(Family family) {
  Result<UdpSocket> socket = Open(family);
  if (!socket) return socket;
  const bool v4 = IsV4(family);
  for (const Status& set :
       {socket->Set(SOL_SOCKET, SO_REUSEADDR, 1), socket->Set(SOL_SOCKET, SO_REUSEPORT, 1),
        v4 ? socket->Set(IPPROTO_IP, IP_PKTINFO, 1)
           : socket->Set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1),
        socket->Bind(kPort)}) {
    if (!set) return Fails(set.error());
  }
  // Without this, Linux delivers what any process's socket has joined, on any interface.
  static_cast<void>(v4 ? socket->Set(IPPROTO_IP, IP_MULTICAST_ALL, 0)
                       : socket->Set(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0));
  return socket;
}

Result<UdpSocket> UdpSocket::ForQueries(const Link& link) {
  Result<UdpSocket> socket = Open(FamilyOf(link));
  if (!socket) return socket;
  for (const Status& set : {socket->Bind(0), socket->SendFrom(link)}) {
    if (!set) return Fails(set.error());
  }
  return socket;
}

Status UdpSocket::Bind(std::uint16_t port) {
  const Peer any = IsV4(family_) ? MakeV4(INADDR_ANY, port) : MakeV6(in6addr_any, port, 0);
  if (bind(fd_, any.raw(), any.size()) == 0) return Ok();
  return Errno("UDP port " + std::to_string(port));
}

// By address, not by index: on lo an index alone leaves the source address to the routing table,
// which takes another interface's, and the reply cannot come back.
Status UdpSocket::SendFrom(const Link& link) {
  if (IsV4(family_)) return Set(IPPROTO_IP, IP_MULTICAST_IF, RawV4(link));
  return Set(IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(link.index));
}

Status UdpSocket::Membership(const Link& link, int v4_option, int v6_option) {
  if (IsV4(family_)) {
    const ip_mreqn request{.imr_multiaddr = {.s_addr = htonl(kGroup4)},
                           .imr_address = RawV4(link),
                           .imr_ifindex = static_cast<int>(link.index)};
    return Set(IPPROTO_IP, v4_option, request);
  }
  return Set(IPPROTO_IPV6, v6_option,
             ipv6_mreq{.ipv6mr_multiaddr = kGroup6, .ipv6mr_interface = link.index});
}

Status UdpSocket::Join(const Link& link) {
  return Membership(link, IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP);
}

void UdpSocket::Leave(const Link& link) {
  static_cast<void>(Membership(link, IP_DROP_MEMBERSHIP, IPV6_LEAVE_GROUP));
}

Status UdpSocket::SendToGroup(const Link& link, std::string_view payload) {
  if (const Status chosen = SendFrom(link); !chosen) return chosen;
  return SendTo(IsV4(family_) ? MakeV4(kGroup4, kPort) : MakeV6(kGroup6, kPort, link.index),
                payload);
}

Status UdpSocket::SendTo(const Peer& to, std::string_view payload) {
  const auto sent = sendto(fd_, payload.data(), payload.size(), MSG_NOSIGNAL, to.raw(), to.size());
  if (sent >= 0) return Ok();
  return Errno("sending to " + to.address().to_string());
}

std::optional<Datagram> UdpSocket::Receive(std::span<char> buffer) {
  Datagram datagram;
  iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
  alignas(cmsghdr) std::array<char, 256> control;
  msghdr message{};
  message.msg_name = datagram.from.raw();
  message.msg_namelen = sizeof(sockaddr_in6);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t octets = 0;
  // An ICMP error that an earlier datagram drew is reported here once, and is of no interest.
  for (int tries = 0; tries < 8; ++tries) {
    octets = recvmsg(fd_, &message, MSG_DONTWAIT);
    if (octets >= 0 || errno == EAGAIN) break;
  }
  if (octets < 0) return std::nullopt;
  datagram.payload = std::string_view(buffer.data(), static_cast<std::size_t>(octets));
  ReadArrival(message, datagram);
  return datagram;
}

}  // namespace micro::mdns
