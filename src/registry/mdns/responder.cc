#include "registry/mdns/responder.h"

#include <future>

#include <boost/asio/post.hpp>

#include "registry/mdns/answers.h"

namespace micro::mdns {
namespace {

using namespace std::chrono_literals;

// How soon an interface that came up later is used where the kernel does not tell of it,
constexpr std::chrono::seconds kRescan = 5s;
// and where it does: changes come several at a time.
constexpr std::chrono::milliseconds kLinksSettle = 50ms;
// Between two looks at whose time runs out.
constexpr std::chrono::milliseconds kSightingsPause = 100ms;
// What a question carries of known answers; all together stay below an Ethernet's MTU or near it.
constexpr std::size_t kMaxKnownAnswers = 32;
// Datagrams read before other work of the loop gets its turn.
constexpr int kBurst = 64;

bool Contains(const std::vector<Link>& links, const Link& link) {
  return std::ranges::find(links, link) != links.end();
}

// The longest message that is ever sent of an instance is the answer that lists all its records.
Status FitsADatagram(const Instance& instance, const Name& host) {
  const Message query{.questions = {{instance.service, Type::kPtr}}};
  for (const Message& answer : AnswersTo(query, std::array{&instance}, host)) {
    if (const auto packet = Build(answer); !packet) return Fails(packet.error());
  }
  return Ok();
}

}  // namespace

std::shared_ptr<Responder> Responder::Shared(std::vector<std::string> interfaces,
                                             std::shared_ptr<Logger> logger) {
  static std::mutex mutex;
  static std::map<std::vector<std::string>, std::weak_ptr<Responder>> responders;
  std::ranges::sort(interfaces);
  const std::scoped_lock lock(mutex);
  std::weak_ptr<Responder>& known = responders[interfaces];
  if (auto responder = known.lock()) return responder;
  auto responder = std::make_shared<Responder>(interfaces, std::move(logger));
  known = responder;
  return responder;
}

Responder::Channel::Channel(boost::asio::io_context& loop, UdpSocket bound)
    : socket(std::move(bound)), readiness(loop, socket.fd()) {}

// The descriptor stays the socket's to close.
Responder::Channel::~Channel() { readiness.release(); }

Responder::Responder(std::vector<std::string> interfaces, std::shared_ptr<Logger> logger)
    : interfaces_(std::move(interfaces)),
      logger_(std::move(logger)),
      host_(HostName()),
      work_(boost::asio::make_work_guard(loop_)),
      rescan_(loop_),
      link_events_readiness_(loop_),
      announcer_(
          loop_, [this](const Instance& instance, std::uint32_t ttl) { Multicast(instance, ttl); },
          logger_),
      asker_(loop_, [this](const Message& message) { HearAnswer(message); }),
      sightings_timer_(loop_),
      buffer_(kMaxDatagramOctets) {
  Open(UdpSocket::Family::kV4);
  Open(UdpSocket::Family::kV6);
  OpenLinkEvents();
  Rescan();
  for (const auto& channel : channels_) Await(*channel);
  thread_ = std::thread([this] { loop_.run(); });
}

Responder::~Responder() {
  loop_.stop();
  thread_.join();
  // The descriptor stays the socket's to close.
  if (link_events_readiness_.is_open()) link_events_readiness_.release();
}

template <typename Work>
auto Responder::OnLoop(Work work) {
  std::packaged_task<std::invoke_result_t<Work>()> task(std::move(work));
  auto done = task.get_future();
  boost::asio::post(loop_, std::move(task));
  return done.get();
}

Status Responder::Announce(Instance instance, Duration ttl) {
  return OnLoop([this, &instance, ttl]() -> Status {
    if (channels_.empty()) {
      return Unavailable("mdns cannot announce anything, no socket: " + why_no_channel_);
    }
    if (const Status fits = FitsADatagram(instance, host_); !fits) return fits;
    announcer_.Put(std::move(instance), ttl);
    return Ok();
  });
}

void Responder::Withdraw(const Name& instance) {
  OnLoop([this, &instance] { announcer_.Remove(instance); });
}

Subscription Responder::Watch(std::string_view service, Registry::Watcher watcher) {
  return watchers_.Add(service, std::move(watcher));
}

void Responder::Remember(std::vector<Sighting> found) {
  boost::asio::post(loop_, [this, found = std::move(found)] {
    const TimePoint now = std::chrono::steady_clock::now();
    for (const Sighting& sighting : found) sightings_.TakeAnswer(sighting, now);
    AwaitSightings();
  });
}

void Responder::TellBadRecords(BadRecords* bad) {
  OnLoop([this, bad] { bad_records_.push_back(bad); });
}

void Responder::ForgetBadRecords(BadRecords* bad) {
  OnLoop([this, bad] { std::erase(bad_records_, bad); });
}

void Responder::Open(UdpSocket::Family family) {
  Result<UdpSocket> socket = UdpSocket::BindGroupPort(family);
  if (socket) {
    channels_.push_back(std::make_unique<Channel>(loop_, *std::move(socket)));
    return;
  }
  why_no_channel_ = socket.error().detail();
  Log(LogLevel::kWarn, "mdns does without " +
                           std::string(family == UdpSocket::Family::kV4 ? "IPv4" : "IPv6") + ": " +
                           why_no_channel_);
}

void Responder::OpenLinkEvents() {
  auto events = LinkEvents::Open();
  if (!events) return Log(LogLevel::kDebug, "mdns: " + events.error().detail());
  link_events_.emplace(*std::move(events));
  link_events_readiness_.assign(link_events_->fd());
  AwaitLinkEvents();
}

void Responder::AwaitLinkEvents() {
  link_events_readiness_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                    [this](const boost::system::error_code& error) {
                                      if (error) return;
                                      link_events_->Drain();
                                      RescanAfter(kLinksSettle);
                                      AwaitLinkEvents();
                                    });
}

void Responder::Rescan() {
  if (auto links = ChooseLinks(interfaces_); links && *links != links_) {
    UseLinks(*std::move(links));
  }
  RescanAfter(kRescan);
}

void Responder::RescanAfter(Duration pause) {
  rescan_.expires_after(pause);
  rescan_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Rescan();
  });
}

void Responder::UseLinks(std::vector<Link> links) {
  for (const auto& channel : channels_) JoinAndLeave(*channel, links);
  links_ = std::move(links);
  asker_.UseLinks(links_);
  Log(LogLevel::kDebug, "mdns listens on " + Describe(links_));
  announcer_.AnnounceAll();
}

void Responder::JoinAndLeave(Channel& channel, const std::vector<Link>& links) {
  const auto of_family = [&](const Link& link) {
    return FamilyOf(link) == channel.socket.family();
  };
  for (const Link& link : links_) {
    if (of_family(link) && !Contains(links, link)) channel.socket.Leave(link);
  }
  for (const Link& link : links) {
    if (!of_family(link) || Contains(links_, link)) continue;
    const Status joined = channel.socket.Join(link);
    if (joined) continue;
    Log(LogLevel::kWarn,
        "mdns cannot listen on " + Describe({link}) + ": " + joined.error().detail());
  }
}

void Responder::Await(Channel& channel) {
  channel.readiness.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                               [this, &channel](const boost::system::error_code& error) {
                                 if (error) return;
                                 Drain(channel);
                                 Await(channel);
                               });
}

void Responder::Drain(Channel& channel) {
  for (int datagrams = 0; datagrams < kBurst; ++datagrams) {
    const auto datagram = channel.socket.Receive(buffer_);
    if (!datagram) return;
    Handle(channel, *datagram);
  }
}

// A unicast reaches port 5353 through any interface, also through one that was not chosen, and from
// anywhere: answers to it would go to whomever it claims to come from (RFC 6762, 5.5 and 11).
void Responder::Handle(Channel& channel, const Datagram& datagram) {
  if (std::ranges::find(links_, datagram.interface_index, &Link::index) == links_.end()) return;
  if (!datagram.to_group && !datagram.from.address().is_loopback()) return;
  const auto message = Parse(datagram.payload);
  if (!message) {
    NoteBad(message.error().detail() + ", from " + datagram.from.address().to_string());
  } else if (message->is_response()) {
    HearAnnouncement(*message);
  } else {
    Answer(channel, datagram, *message);
  }
}

void Responder::Answer(Channel& channel, const Datagram& datagram, const Message& query) {
  for (const Message& answer : AnswersTo(query, VisibleTo(datagram), host_)) {
    const auto packet = Build(answer);
    if (!packet) continue;
    const boost::asio::ip::address to = datagram.from.address();
    if (!limit_.Takes(to, packet->size(), std::chrono::steady_clock::now())) {
      return NoteBad(to.to_string() + " asks too much, and is not answered");
    }
    const Status sent = channel.socket.SendTo(datagram.from, *packet);
    if (!sent) Log(LogLevel::kDebug, "mdns: " + sent.error().detail());
  }
}

// A node on the loopback address is of use to this machine only.
std::vector<const Instance*> Responder::VisibleTo(const Datagram& datagram) const {
  std::vector<const Instance*> visible = announcer_.instances();
  const auto is_local = [](const Instance* each) { return each->address.is_loopback(); };
  if (std::ranges::any_of(visible, is_local) && !IsOwnAddress(datagram.from.address())) {
    std::erase_if(visible, is_local);
  }
  return visible;
}

void Responder::Multicast(const Instance& instance, std::uint32_t ttl) {
  const auto packet = Build(Announcement(instance, host_, ttl));
  if (!packet) return;
  for (const Link& link : links_) {
    if (instance.address.is_loopback() && !link.loopback) continue;
    for (const auto& channel : channels_) {
      if (channel->socket.family() != FamilyOf(link)) continue;
      const Status sent = channel->socket.SendToGroup(link, *packet);
      if (!sent)
        Log(LogLevel::kDebug, "mdns on " + Describe({link}) + ": " + sent.error().detail());
    }
  }
}

void Responder::HearAnnouncement(const Message& message) {
  if (watchers_.empty()) return;
  const TimePoint now = std::chrono::steady_clock::now();
  for (Sighting& sighting :
       ReadSightings(message, [this](const std::string& fault) { NoteBad(fault); })) {
    if (!sightings_.TakeAnnouncement(sighting, now)) continue;
    const auto kind = sighting.gone() ? Change::Kind::kDelete : Change::Kind::kCreate;
    Tell(kind, std::move(sighting.service));
  }
  AwaitSightings();
}

void Responder::HearAnswer(const Message& message) {
  const TimePoint now = std::chrono::steady_clock::now();
  for (Sighting& sighting :
       ReadSightings(message, [this](const std::string& fault) { NoteBad(fault); })) {
    if (!sightings_.TakeAnswer(sighting, now)) continue;
    Tell(Change::Kind::kCreate, std::move(sighting.service));
  }
  AwaitSightings();
}

void Responder::Tell(Change::Kind kind, ServiceInfo service) {
  if (watchers_.Tell({kind, std::move(service)})) return;
  Log(LogLevel::kWarn, "mdns: a watcher is too slow, a change was dropped");
}

// Whose time has run out is gone; who is about to is asked for.
void Responder::LookAfterSightings() {
  const auto is_watched = [this](const std::string& service) { return watchers_.watches(service); };
  auto due = sightings_.TakeDue(std::chrono::steady_clock::now(), is_watched);
  for (ServiceInfo& service : due.expired) {
    Log(LogLevel::kInfo, "mdns: " + service.nodes[0].id + " has not been heard of for its TTL");
    Tell(Change::Kind::kDelete, std::move(service));
  }
  for (const std::string& service : due.ask) AskAgain(service);
  AwaitSightings();
}

void Responder::AskAgain(const std::string& service) {
  const auto name = Name::FromText(service + "." + Domain().ToText());
  if (!name) return;
  Message query{.questions = {{.name = *name, .type = Type::kPtr}}};
  query.answers =
      sightings_.KnownAnswers(service, std::chrono::steady_clock::now(), kMaxKnownAnswers);
  const Status asked = asker_.Ask(query);
  if (!asked) Log(LogLevel::kDebug, "mdns: " + asked.error().detail());
}

void Responder::AwaitSightings() {
  const TimePoint due =
      std::max(sightings_.next_due(), std::chrono::steady_clock::now() + kSightingsPause);
  if (sightings_.next_due() == TimePoint::max() || sightings_due_ <= due) return;
  sightings_due_ = due;
  sightings_timer_.expires_at(due);
  sightings_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    sightings_due_ = TimePoint::max();
    LookAfterSightings();
  });
}

void Responder::NoteBad(const std::string& what) {
  for (BadRecords* bad : bad_records_) bad->Note(what);
}

void Responder::Log(LogLevel level, const std::string& line) const {
  if (logger_ && logger_->Enabled(level)) logger_->Write(level, line);
}

}  // namespace micro::mdns
