#include "registry/dns/answer.h"

#include <algorithm>
#include <optional>
#include <span>

namespace micro::dns_registry {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

// Aliases of aliases; more are a circle.
constexpr int kMostAliases = 8;

// DNS does not tell "Foo" from "foo", and servers may answer in another case.
std::string Folded(const dns::Name& name) {
  std::string wire = name.wire();
  std::ranges::transform(wire, wire.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return wire;
}

bool IsOf(const dns::Record& record, const std::string& folded) {
  return record.klass == dns::kClassIn && Folded(record.name) == folded;
}

bool IsOfOneHost(const address& host) {
  return !host.is_unspecified() && !host.is_multicast() && host != address_v4::broadcast();
}

std::optional<address> AddressOf(const dns::Record& record) {
  if (const auto* a = std::get_if<dns::A>(&record.data)) return address_v4(a->octets);
  if (const auto* aaaa = std::get_if<dns::Aaaa>(&record.data)) return address_v6(aaaa->octets);
  return std::nullopt;
}

class Reader {
 public:
  Reader(Answer& answer, const Complain& complain) : answer_(answer), complain_(complain) {}

  void Take(const dns::Record& record) {
    if (const auto host = AddressOf(record)) {
      if (!IsOfOneHost(*host)) return Fault(record, "nobody can connect to " + host->to_string());
      answer_.addresses.push_back(*host);
    } else if (const auto* srv = std::get_if<dns::Srv>(&record.data)) {
      if (srv->port == 0 && !srv->target.is_root()) return Fault(record, "a service on port 0");
      answer_.services.push_back(*srv);
    } else {
      return;
    }
    Last(record.ttl);
  }

  void Last(std::uint32_t ttl) { answer_.ttl = used_++ == 0 ? ttl : std::min(answer_.ttl, ttl); }

 private:
  void Fault(const dns::Record& record, const std::string& why) {
    if (complain_) complain_(record.name.ToText() + ": " + why);
  }

  Answer& answer_;
  const Complain& complain_;
  std::size_t used_ = 0;
};

const dns::Record* AliasOf(const dns::Message& message, const std::string& folded) {
  for (const dns::Record& record : message.answers) {
    if (std::holds_alternative<dns::Cname>(record.data) && IsOf(record, folded)) return &record;
  }
  return nullptr;
}

}  // namespace

Answer ReadAnswer(const dns::Message& message, const dns::Name& name, const Complain& complain) {
  Answer answer{.name = name};
  Reader reader(answer, complain);
  for (int aliases = 0; aliases < kMostAliases; ++aliases) {
    const dns::Record* alias = AliasOf(message, Folded(answer.name));
    if (alias == nullptr) break;
    answer.name = std::get<dns::Cname>(alias->data).target;
    answer.is_alias = true;
    reader.Last(alias->ttl);
  }
  const std::string folded = Folded(answer.name);
  const std::size_t records = std::min(message.answers.size(), kMostRecords);
  for (const dns::Record& record : std::span(message.answers).first(records)) {
    if (IsOf(record, folded)) reader.Take(record);
  }
  return answer;
}

std::vector<address> AddressesBeside(const dns::Message& message, const dns::Name& host) {
  std::vector<address> addresses;
  const std::string folded = Folded(host);
  for (const dns::Record& record : message.additional) {
    const auto found = AddressOf(record);
    if (found && IsOf(record, folded) && IsOfOneHost(*found)) addresses.push_back(*found);
  }
  return addresses;
}

}  // namespace micro::dns_registry
