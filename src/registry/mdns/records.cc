#include "registry/mdns/records.h"

#include <unistd.h>

#include "base/address.h"

namespace micro::mdns {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

// More nodes than this in one datagram are not there to be found.
constexpr std::size_t kMaxSightings = 256;
// Inflated text of all its TXT records; a thousand octets of zeros take one.
constexpr std::size_t kMaxText = std::size_t{1} << 20;

Failure CannotCarry(const Node& node, const std::string& why) {
  return InvalidArgument("mdns cannot announce node \"" + node.id + "\" at \"" + node.address +
                         "\": " + why);
}

Result<Name> ServiceName(std::string_view service) {
  return Name::FromText(std::string(service) + "." + Domain().ToText());
}

template <typename Visit>
void ForEachRecord(const Message& message, Visit visit) {
  for (const auto* section : {&message.answers, &message.additional}) {
    for (const Record& record : *section) {
      if ((record.klass & ~kClassTopBit) == kClassIn) visit(record);
    }
  }
}

struct Addresses {
  const A* v4 = nullptr;
  const Aaaa* v6 = nullptr;
};

// The records of one message, by owner; the first of a kind counts.
struct Index {
  std::map<std::string_view, const Record*> srv;
  std::map<std::string_view, const Record*> txt;
  std::map<std::string_view, Addresses> addresses;
};

Index IndexOf(const Message& message) {
  Index index;
  ForEachRecord(message, [&](const Record& record) {
    const std::string_view owner = record.name.wire();
    if (std::holds_alternative<Srv>(record.data)) index.srv.try_emplace(owner, &record);
    if (std::holds_alternative<Txt>(record.data)) index.txt.try_emplace(owner, &record);
    Addresses& addresses = index.addresses[owner];
    if (const auto* a = std::get_if<A>(&record.data); a && !addresses.v4) addresses.v4 = a;
    if (const auto* aaaa = std::get_if<Aaaa>(&record.data); aaaa && !addresses.v6)
      addresses.v6 = aaaa;
  });
  return index;
}

std::optional<address> HostOf(const Addresses& addresses) {
  if (addresses.v4) return address_v4(addresses.v4->octets);
  if (addresses.v6) return address_v6(addresses.v6->octets);
  return std::nullopt;
}

bool IsOfOneHost(const address& host) {
  return !host.is_unspecified() && !host.is_multicast() && host != address_v4::broadcast();
}

bool IsUnder(const Name& name, const Name& parent) { return !name.Before(parent).is_root(); }

// Reads the nodes of one message, and says what is wrong with those it cannot read.
class SightingReader {
 public:
  SightingReader(const Message& message, const Complain& complain)
      : index_(IndexOf(message)), complain_(complain) {}

  std::vector<Sighting> ReadAll();

 private:
  std::optional<Sighting> Read(const Record& srv_record);
  std::optional<Sighting> Read(const Record& srv_record, const Txt& txt, const address& host);
  std::optional<TxtFields> ReadFields(const Name& owner, const Txt& txt);
  std::nullopt_t Fault(const Name& owner, const std::string& why);

  const Index index_;
  const Complain& complain_;
  std::size_t text_left_ = kMaxText;
};

std::nullopt_t SightingReader::Fault(const Name& owner, const std::string& why) {
  if (complain_) complain_(owner.ToText() + ": " + why);
  return std::nullopt;
}

std::vector<Sighting> SightingReader::ReadAll() {
  std::vector<Sighting> sightings;
  for (const auto& [owner, record] : index_.srv) {
    if (sightings.size() == kMaxSightings) break;
    if (auto sighting = Read(*record)) sightings.push_back(*std::move(sighting));
  }
  return sightings;
}

// An answer to a question for one type has not everything; that is nobody's fault.
std::optional<Sighting> SightingReader::Read(const Record& srv_record) {
  const Name& owner = srv_record.name;
  if (!IsUnder(owner, Domain()) || IsUnder(owner, ListName())) return std::nullopt;
  const auto txt = index_.txt.find(owner.wire());
  const auto at = index_.addresses.find(std::get<Srv>(srv_record.data).target.wire());
  if (txt == index_.txt.end() || at == index_.addresses.end()) return std::nullopt;
  const auto host = HostOf(at->second);
  if (!host) return std::nullopt;
  return Read(srv_record, std::get<Txt>(txt->second->data), *host);
}

std::optional<Sighting> SightingReader::Read(const Record& srv_record, const Txt& txt,
                                             const address& host) {
  const Name& owner = srv_record.name;
  auto fields = ReadFields(owner, txt);
  if (!fields) return std::nullopt;
  const auto service = ServiceName(fields->service);
  const std::string id = service ? owner.Before(*service).ToText() : "";
  if (id.empty()) return Fault(owner, "its TXT record is of \"" + fields->service + "\"");
  const std::uint16_t port = std::get<Srv>(srv_record.data).port;
  std::string text = JoinHostPort(host.to_string(), port);
  if (port == 0 || !IsOfOneHost(host)) {
    return Fault(owner, "nobody can connect to " + text);
  }
  return Sighting{.instance = owner,
                  .service = {.name = std::move(fields->service),
                              .version = std::move(fields->version),
                              .endpoints = std::move(fields->endpoints),
                              .nodes = {{.id = id,
                                         .address = std::move(text),
                                         .metadata = std::move(fields->metadata)}}},
                  .ttl = srv_record.ttl};
}

std::optional<TxtFields> SightingReader::ReadFields(const Name& owner, const Txt& txt) {
  const auto text = UnpackTxt(txt.strings);
  if (!text) return Fault(owner, text.error().detail());
  if (text->size() > text_left_) return Fault(owner, "too much text in one message");
  text_left_ -= text->size();
  auto fields = ReadTxtJson(*text);
  if (!fields) return Fault(owner, fields.error().detail());
  if (fields->service.empty()) return Fault(owner, "its TXT record names no service");
  return *std::move(fields);
}

}  // namespace

const Name& Domain() {
  static const Name name = Name::FromText("micro").value();
  return name;
}

const Name& ListName() {
  static const Name name = Name::FromText("_services.micro").value();
  return name;
}

const Name& MetaName() {
  static const Name name = Name::FromText("_services._dns-sd._udp.micro").value();
  return name;
}

Result<Name> InstanceName(std::string_view service, const Node& node) {
  const auto id = Name::FromText(node.id);
  if (!id) return Fails(id.error());
  if (id->is_root()) return InvalidArgument("a node needs an id to be registered");
  const auto name = ServiceName(service);
  return name ? id->Under(*name) : name;
}

Result<Instance> MakeInstance(const ServiceInfo& service, const Node& node) {
  const auto at = ParseHostPort(node.address);
  if (!at) return CannotCarry(node, at.error().detail());
  boost::system::error_code error;
  const address host = boost::asio::ip::make_address(at->host, error);
  if (error || (host.is_v6() && host.to_v6().scope_id() != 0)) {
    return CannotCarry(node, "the host has to be a literal IP address without a zone");
  }
  if (host.is_unspecified()) return CannotCarry(node, "nobody can connect to that address");
  if (at->port == 0) return CannotCarry(node, "the port is 0");
  const auto instance = InstanceName(service.name, node);
  if (!instance) return CannotCarry(node, instance.error().detail());
  auto strings = EncodeTxt({service.name, service.version, service.endpoints, node.metadata});
  if (!strings) return CannotCarry(node, strings.error().detail());
  return Instance{.service_name = service.name,
                  .service = *ServiceName(service.name),
                  .instance = *instance,
                  .address = host,
                  .port = at->port,
                  .txt = {*std::move(strings)}};
}

Record AddressRecord(const Name& host, const address& address, std::uint32_t ttl) {
  Record record{.name = host, .ttl = ttl};
  if (address.is_v4()) {
    record.data = A{address.to_v4().to_bytes()};
  } else {
    record.data = Aaaa{address.to_v6().to_bytes()};
  }
  return record;
}

std::vector<Record> RecordsOf(const Instance& instance, const Name& host, std::uint32_t ttl) {
  const Srv srv{.priority = 10, .weight = 1, .port = instance.port, .target = host};
  return {{.name = instance.instance, .ttl = ttl, .data = srv},
          AddressRecord(host, instance.address, ttl),
          {.name = instance.instance, .ttl = ttl, .data = instance.txt}};
}

Message Announcement(const Instance& instance, const Name& host, std::uint32_t ttl) {
  return {.flags = kFlagResponse, .answers = RecordsOf(instance, host, ttl)};
}

std::vector<Sighting> ReadSightings(const Message& message, const Complain& complain) {
  return SightingReader(message, complain).ReadAll();
}

std::vector<std::string> ReadList(const Message& message) {
  std::vector<std::string> services;
  ForEachRecord(message, [&](const Record& record) {
    const auto* ptr = std::get_if<Ptr>(&record.data);
    if (ptr == nullptr || record.ttl == 0 || record.name != ListName()) return;
    std::string service = ptr->target.Before(ListName()).ToText();
    if (!service.empty()) services.push_back(std::move(service));
  });
  return services;
}

Name HostName() {
  std::array<char, 256> text{};
  const bool known = gethostname(text.data(), text.size() - 1) == 0 && text[0] != '\0';
  const auto name = Name::FromText(known ? text.data() : "localhost");
  return name ? *name : Name::FromText("localhost").value();
}

}  // namespace micro::mdns
