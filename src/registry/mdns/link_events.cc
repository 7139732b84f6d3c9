#include "registry/mdns/link_events.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace micro::mdns {

Result<LinkEvents> LinkEvents::Open() {
  LinkEvents events(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  const sockaddr_nl groups{.nl_family = AF_NETLINK,
                           .nl_pad = 0,
                           .nl_pid = 0,
                           .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
  if (events.fd_ >= 0 &&
      bind(events.fd_, reinterpret_cast<const sockaddr*>(&groups), sizeof groups) == 0) {
    return events;
  }
  return Unavailable("no news of interfaces: " + std::generic_category().message(errno));
}

LinkEvents::~LinkEvents() {
  if (fd_ >= 0) close(fd_);
}

// ENOBUFS says that some were lost, which is as good as one more.
void LinkEvents::Drain() {
  std::array<char, 8192> buffer;
  ssize_t octets = 0;
  do {
    octets = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  } while (octets > 0 || (octets < 0 && (errno == ENOBUFS || errno == EINTR)));
}

}  // namespace micro::mdns
