#include "registry/mdns/resolver.h"

#include <set>

#include "registry/mdns/query_sockets.h"
#include "registry/mdns/records.h"

namespace micro::mdns {
namespace {

using Clock = std::chrono::steady_clock;

// What one lookup keeps at most.
constexpr std::size_t kMaxNodes = 1024;
constexpr std::size_t kMaxNamesToTell = 20;
// Of the answers to a list, those that need not be sent again; a question stays near an Ethernet's
// MTU.
constexpr std::size_t kMaxKnownAnswers = 32;

// What the answers to one lookup have told so far.
class Findings {
 public:
  Findings(std::string_view service, BadRecords* bad) : service_(service), bad_(bad) {}

  // True when the message told of a node of the service, known by then or not.
  bool Take(const Message& message);

  bool empty() const { return nodes_.empty(); }
  std::vector<Sighting> nodes() && { return std::move(nodes_); }
  std::size_t faults() const { return faults_; }
  const std::set<std::string>& others() const { return others_; }

 private:
  void TakeOther(std::string name);
  void TakeFault(const std::string& fault);

  std::string service_;
  BadRecords* bad_;
  std::size_t faults_ = 0;
  std::vector<Sighting> nodes_;
  std::set<Name> instances_;
  std::set<std::string> others_;
};

bool Findings::Take(const Message& message) {
  bool told = false;
  for (std::string& name : ReadList(message)) TakeOther(std::move(name));
  for (Sighting& sighting :
       ReadSightings(message, [this](const std::string& fault) { TakeFault(fault); })) {
    if (sighting.gone()) continue;
    if (sighting.service.name != service_) {
      TakeOther(std::move(sighting.service.name));
      continue;
    }
    told = true;
    if (instances_.size() == kMaxNodes || !instances_.insert(sighting.instance).second) continue;
    nodes_.push_back(std::move(sighting));
  }
  return told;
}

void Findings::TakeOther(std::string name) {
  if (others_.size() < kMaxNodes && name != service_) others_.insert(std::move(name));
}

void Findings::TakeFault(const std::string& fault) {
  ++faults_;
  if (bad_ != nullptr) bad_->Note(fault);
}

std::string Join(const std::set<std::string>& names) {
  std::string text;
  std::size_t told = 0;
  for (const std::string& name : names) {
    if (told++ == kMaxNamesToTell) return text + ", ...";
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "none" : text;
}

Failure NoAnswer(std::string_view service, const std::vector<Link>& links, LookupTiming timing,
                 const QuerySockets& sockets, const Findings& findings) {
  const std::size_t packets = sockets.packets();
  return NotFound("no answer for \"" + std::string(service) + "\" from mdns within " +
                  FormatDuration(timing.bound) + " (domain " + Domain().ToText() + ", interfaces " +
                  Describe(links) + "; " + std::to_string(packets) +
                  (packets == 1 ? " packet" : " packets") + " seen, " +
                  std::to_string(sockets.malformed() + findings.faults()) +
                  " not understood, services seen: " + Join(findings.others()) + ")");
}

// Listed a moment ago, with all their time left.
std::vector<Record> KnownOf(const std::set<std::string>& services) {
  std::vector<Record> known;
  for (const std::string& service : services) {
    if (known.size() == kMaxKnownAnswers) break;
    const auto name = Name::FromText(service + "." + ListName().ToText());
    if (name) known.push_back({.name = ListName(), .ttl = kTtl, .data = Ptr{*name}});
  }
  return known;
}

}  // namespace

Result<std::vector<Sighting>> Resolver::Find(std::string_view service,
                                             const std::vector<Link>& links) const {
  const auto name = Name::FromText(std::string(service) + "." + Domain().ToText());
  if (!name) return Fails(name.error());
  QuerySockets sockets(links, bad_);
  if (const Status asked = sockets.Ask(*name); !asked) return Fails(asked.error());

  const TimePoint start = Clock::now();
  const TimePoint again = start + timing_.again;
  TimePoint end = start + timing_.bound;
  bool asked_again = false;
  Findings findings(service, bad_);
  while (Clock::now() < end) {
    const auto message = sockets.Next(asked_again ? end : std::min(again, end));
    if (message && findings.Take(*message)) {
      end = std::min(start + timing_.bound, Clock::now() + timing_.settle);
    }
    if (message || asked_again || !findings.empty()) continue;
    asked_again = true;
    // Who is there instead is what a person wants to know of a lookup that finds nothing.
    static_cast<void>(sockets.Ask(*name));
    static_cast<void>(sockets.Ask(ListName()));
  }
  if (findings.empty()) return NoAnswer(service, links, timing_, sockets, findings);
  return std::move(findings).nodes();
}

Result<std::vector<std::string>> Resolver::List(const std::vector<Link>& links) const {
  QuerySockets sockets(links, bad_);
  if (const Status asked = sockets.Ask(ListName()); !asked) return Fails(asked.error());
  const TimePoint start = Clock::now();
  std::set<std::string> names;
  const auto collect = [&](TimePoint until) {
    while (Clock::now() < until) {
      const auto message = sockets.Next(until);
      if (!message) return;
      if (names.size() >= kMaxNodes) continue;
      for (std::string& name : ReadList(*message)) names.insert(std::move(name));
    }
  };
  collect(start + timing_.again);
  static_cast<void>(sockets.Ask(ListName(), KnownOf(names)));
  collect(start + timing_.bound);
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace micro::mdns
