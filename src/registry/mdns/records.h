#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "micro/error.h"
#include "micro/registry.h"

#include "registry/mdns/dns.h"
#include "registry/mdns/txt.h"

/// go-micro's names and records (v2.2.0 to v2.9.1) made of a node, and a node made of records.
namespace micro::mdns {

/// All names end in this one label, not in "local".
const Name& Domain();
/// `_services.micro`: the answers to it name the services there are.
const Name& ListName();
/// RFC 6763's `_services._dns-sd._udp` in go-micro's domain; its answers name the services, too.
const Name& MetaName();

/// What go-micro puts on each record.
inline constexpr std::uint32_t kTtl = 120;
inline constexpr std::uint16_t kListPort = 9999;

/// One node as it is announced.
struct Instance {
  std::string service_name{};
  Name service{};   ///< <service>.micro
  Name instance{};  ///< <node id>.<service>.micro
  boost::asio::ip::address address{};
  std::uint16_t port = 0;
  Txt txt{};

  bool operator==(const Instance&) const = default;
};

/// INVALID_ARGUMENT for an address that is no literal IP with a port, or the unspecified one, and
/// for names DNS cannot carry.
Result<Instance> MakeInstance(const ServiceInfo& service, const Node& node);

/// The name `node` of the service called `service` is announced by.
Result<Name> InstanceName(std::string_view service, const Node& node);

/// SRV, then A or AAAA, then TXT: go-micro loses an address that stands before its SRV.
std::vector<Record> RecordsOf(const Instance& instance, const Name& host, std::uint32_t ttl);
/// An address as the record that carries it.
Record AddressRecord(const Name& host, const boost::asio::ip::address& address, std::uint32_t ttl);

/// The unsolicited response that announces `instance`, or with `ttl` 0 takes it back. Carries no
/// question: go-micro would answer it.
Message Announcement(const Instance& instance, const Name& host, std::uint32_t ttl);

/// A node that a message tells of.
struct Sighting {
  Name instance{};
  ServiceInfo service{};  ///< with one node
  std::uint32_t ttl = 0;  ///< in seconds; 0: it is gone

  bool gone() const { return ttl == 0; }
};

/// Told what is wrong with a record.
using Complain = std::function<void(const std::string& fault)>;

/// Every node of which `message` holds SRV, address and TXT, in any order and section. What cannot
/// be decoded, names that do not fit the TXT's service, and addresses nobody could connect to are
/// left out and complained of; records of other domains are not looked at.
std::vector<Sighting> ReadSightings(const Message& message, const Complain& complain = {});

/// The services of a list answer that are there.
std::vector<std::string> ReadList(const Message& message);

/// This machine's name, as SRV targets and addresses carry it.
Name HostName();

}  // namespace micro::mdns
