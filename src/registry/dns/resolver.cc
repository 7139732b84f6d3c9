#include "registry/dns/resolver.h"

#include <algorithm>

namespace micro::dns_registry {
namespace {

// Hosts that the SRV records of one service name, at most.
constexpr std::size_t kMostHosts = 256;
// Of one service.
constexpr std::size_t kMostPlaces = 1024;
// Aliases that lead to others, over several answers.
constexpr int kMostAliases = 8;

enum class Rcode : std::uint8_t { kOk = 0, kFormErr = 1, kNxDomain = 3, kNotImp = 4 };

Rcode RcodeOf(const dns::Message& answer) {
  return static_cast<Rcode>(answer.flags & dns::kRcodeMask);
}

std::string Describe(const dns::Question& question) {
  const std::string name = question.name.ToText();
  switch (question.type) {
    case dns::Type::kSrv:
      return "SRV of " + name;
    case dns::Type::kAaaa:
      return "AAAA of " + name;
    default:
      return "A of " + name;
  }
}

// What is tried next gets its part of the time that is left.
Patience Share(const Patience& whole, Duration longest, std::size_t parts) {
  const TimePoint now = std::chrono::steady_clock::now();
  const Duration left = std::max<Duration>(whole.until - now, Duration::zero());
  const Duration part = left / static_cast<Duration::rep>(std::max<std::size_t>(parts, 1));
  return {.until = now + std::min(longest, part), .stopped = whole.stopped};
}

}  // namespace

std::string Resolver::Servers() const {
  std::string text;
  for (const HostPort& server : conf_.servers) {
    text += (text.empty() ? "" : ", ") + JoinHostPort(server.host, server.port);
  }
  return text;
}

Result<Places> Resolver::FindHost(std::string_view host, std::uint16_t port,
                                  const Patience& patience) const {
  return Search(host, "A or AAAA",
                [&](const dns::Name& name) { return Addresses(name, port, patience); });
}

Result<Places> Resolver::FindServices(std::string_view name, const Patience& patience) const {
  return Search(name, "SRV", [&](const dns::Name& each) { return Services(each, patience); });
}

// A name that a server cannot say anything about does not keep the next from being found.
Result<Places> Resolver::Search(std::string_view name, std::string_view type,
                                const Find& find) const {
  std::string tried;
  std::optional<Error> trouble;
  for (const std::string& candidate : Candidates(name, conf_)) {
    const auto parsed = dns::Name::FromText(candidate);
    if (!parsed) return Fails(parsed.error());
    auto found = find(*parsed);
    if (found) return found;
    if (found.error().code() != Code::kNotFound && !trouble) trouble = std::move(found.error());
    tried += (tried.empty() ? "" : ", ") + candidate;
  }
  if (trouble) return Fails(*std::move(trouble));
  return NotFound("DNS has no " + std::string(type) + " record of " + tried + " (asked " +
                  Servers() + ")");
}

Result<Places> Resolver::Addresses(const dns::Name& host, std::uint16_t port,
                                   const Patience& patience) const {
  Result<Places> result = NotFound("no address of " + host.ToText());
  for (const dns::Type type : {dns::Type::kA, dns::Type::kAaaa}) {
    const auto asked = Ask(host, type, patience);
    if (!asked) {
      if (asked.error().code() != Code::kNotFound) result = Fails(asked.error());
      continue;
    }
    const Answer& answer = asked->first;
    if (answer.addresses.empty()) continue;
    Places places{.ttl = answer.ttl};
    for (const auto& address : answer.addresses) {
      if (places.places.size() == kMostPlaces) break;
      places.places.push_back({.host = address, .port = port});
    }
    return places;
  }
  return result;
}

Result<Places> Resolver::Services(const dns::Name& name, const Patience& patience) const {
  auto asked = Ask(name, dns::Type::kSrv, patience);
  if (!asked) return Fails(asked.error());
  auto& [answer, message] = *asked;
  // A target that is the root says that there is no such service (RFC 2782).
  std::erase_if(answer.services, [](const dns::Srv& each) { return each.target.is_root(); });
  if (answer.services.empty()) return NotFound("no SRV record of " + name.ToText());
  const auto first = std::ranges::min(answer.services, {}, &dns::Srv::priority).priority;
  std::erase_if(answer.services, [&](const dns::Srv& each) { return each.priority != first; });
  if (answer.services.size() > kMostHosts) answer.services.resize(kMostHosts);

  Places places{.ttl = answer.ttl};
  Result<Places> trouble = NotFound("no address of what SRV " + name.ToText() + " names");
  for (const dns::Srv& service : answer.services) {
    Places here{.ttl = places.ttl};
    for (const auto& address : AddressesBeside(message, service.target)) {
      here.places.push_back({.host = address, .port = service.port});
    }
    if (here.places.empty()) {
      auto found = Addresses(service.target, service.port, patience);
      if (!found) {
        if (found.error().code() != Code::kNotFound) trouble = Fails(found.error());
        continue;
      }
      here = *std::move(found);
    }
    places.ttl = std::min(places.ttl, here.ttl);
    for (Place& place : here.places) {
      place.weight = service.weight;
      if (places.places.size() < kMostPlaces) places.places.push_back(place);
    }
  }
  return places.places.empty() ? trouble : places;
}

Result<std::pair<Answer, dns::Message>> Resolver::Ask(dns::Name name, dns::Type type,
                                                      const Patience& patience) const {
  for (int aliases = 0; aliases < kMostAliases; ++aliases) {
    auto message = AskServers({.name = name, .type = type}, patience);
    if (!message) return Fails(message.error());
    Answer answer = ReadAnswer(*message, name, complain_);
    const bool empty = answer.addresses.empty() && answer.services.empty();
    if (!empty || !answer.is_alias) return std::pair(std::move(answer), *std::move(message));
    name = answer.name;
  }
  return Unavailable("DNS leads from one alias to another, at last " + name.ToText());
}

Result<dns::Message> Resolver::AskServers(const dns::Question& question,
                                          const Patience& patience) const {
  std::string trouble;
  std::size_t tries = conf_.servers.size() * static_cast<std::size_t>(conf_.attempts);
  for (int attempt = 0; attempt < conf_.attempts; ++attempt) {
    for (const HostPort& server : conf_.servers) {
      auto answer = AskServer(server, question, Share(patience, conf_.timeout, tries--));
      if (answer || answer.error().code() == Code::kNotFound) return answer;
      if (attempt == 0) trouble += (trouble.empty() ? "" : "; ") + answer.error().detail();
    }
  }
  return Unavailable("DNS cannot say the " + Describe(question) + ": " + trouble);
}

Result<dns::Message> Resolver::AskServer(const HostPort& server, const dns::Question& question,
                                         const Patience& patience) const {
  auto answer = Exchange(server, question, true, patience, complain_);
  if (answer && (RcodeOf(*answer) == Rcode::kFormErr || RcodeOf(*answer) == Rcode::kNotImp)) {
    answer = Exchange(server, question, false, patience, complain_);
  }
  if (!answer) return answer;
  const Rcode code = RcodeOf(*answer);
  if (code == Rcode::kOk) return answer;
  if (code == Rcode::kNxDomain) return NotFound("no such name: " + question.name.ToText());
  constexpr std::array<std::string_view, 6> kNames = {"",         "FORMERR", "SERVFAIL",
                                                      "NXDOMAIN", "NOTIMP",  "REFUSED"};
  const auto number = static_cast<std::size_t>(code);
  return Unavailable(JoinHostPort(server.host, server.port) + " says " +
                     (number < kNames.size() ? std::string(kNames.at(number))
                                             : "error " + std::to_string(number)));
}

}  // namespace micro::dns_registry
