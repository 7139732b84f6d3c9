#include "registry/mdns/resolver.h"

#include <set>

#include "registry/mdns/query_sockets.h"
#include "registry/mdns/records.h"
#include "registry/merge.h"

namespace micro::mdns {
namespace {

using Clock = std::chrono::steady_clock;

// What one lookup keeps at most.
constexpr std::size_t kMaxNodes = 1024;
constexpr std::size_t kMaxNamesToTell = 20;

// What the answers to one lookup have told so far.
class Findings {
 public:
  explicit Findings(std::string_view service) : service_(service) {}

  // True when the message told of a node of the service, known by then or not.
  bool Take(const Message& message);

  bool empty() const { return services_.empty(); }
  std::vector<ServiceInfo> services() && { return std::move(services_); }
  const std::set<std::string>& others() const { return others_; }

 private:
  void TakeOther(std::string name);

  std::string service_;
  std::vector<ServiceInfo> services_;
  std::set<Name> instances_;
  std::set<std::string> others_;
};

bool Findings::Take(const Message& message) {
  bool told = false;
  for (std::string& name : ReadList(message)) TakeOther(std::move(name));
  for (Sighting& sighting : ReadSightings(message)) {
    if (sighting.gone) continue;
    if (sighting.service.name != service_) {
      TakeOther(std::move(sighting.service.name));
      continue;
    }
    told = true;
    if (instances_.size() == kMaxNodes || !instances_.insert(sighting.instance).second) continue;
    MergeService(services_, std::move(sighting.service));
  }
  return told;
}

void Findings::TakeOther(std::string name) {
  if (others_.size() < kMaxNodes && name != service_) others_.insert(std::move(name));
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
                 std::size_t packets, const Findings& findings) {
  return NotFound("no answer for \"" + std::string(service) + "\" from mdns within " +
                  FormatDuration(timing.bound) + " (domain " + Domain().ToText() + ", interfaces " +
                  Describe(links) + "; " + std::to_string(packets) +
                  (packets == 1 ? " packet" : " packets") +
                  " seen, services seen: " + Join(findings.others()) + ")");
}

}  // namespace

Result<std::vector<ServiceInfo>> Resolver::Find(std::string_view service,
                                                const std::vector<Link>& links) const {
  const auto name = Name::FromText(std::string(service) + "." + Domain().ToText());
  if (!name) return Fails(name.error());
  QuerySockets sockets(links, logger_.get());
  if (const Status asked = sockets.Ask(*name); !asked) return Fails(asked.error());

  const TimePoint start = Clock::now();
  const TimePoint again = start + timing_.again;
  TimePoint end = start + timing_.bound;
  bool asked_again = false;
  Findings findings(service);
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
  if (findings.empty()) return NoAnswer(service, links, timing_, sockets.packets(), findings);
  return std::move(findings).services();
}

Result<std::vector<std::string>> Resolver::List(const std::vector<Link>& links) const {
  QuerySockets sockets(links, logger_.get());
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
  static_cast<void>(sockets.Ask(ListName()));
  collect(start + timing_.bound);
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace micro::mdns
