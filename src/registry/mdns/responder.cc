#include "registry/mdns/responder.h"

#include <future>

#include <boost/asio/post.hpp>

#include "registry/mdns/answers.h"

namespace micro::mdns {
namespace {

using namespace std::chrono_literals;

// When go-micro announces a node: at once, and again to those who missed it.
constexpr std::array<std::chrono::seconds, 3> kAnnouncements = {0s, 1s, 3s};
// How soon an interface that came up later is used.
constexpr std::chrono::seconds kRescan = 5s;
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
      buffer_(kMaxDatagramOctets) {
  Open(UdpSocket::Family::kV4);
  Open(UdpSocket::Family::kV6);
  Rescan();
  for (const auto& channel : channels_) Await(*channel);
  thread_ = std::thread([this] { loop_.run(); });
}

Responder::~Responder() {
  loop_.stop();
  thread_.join();
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
    Put(std::move(instance), ttl);
    return Ok();
  });
}

void Responder::Withdraw(const Name& instance) {
  OnLoop([this, &instance] { Remove(instance); });
}

Subscription Responder::Watch(std::string_view service, Registry::Watcher watcher) {
  return watchers_.Add(service, std::move(watcher));
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

void Responder::Rescan() {
  if (auto links = ChooseLinks(interfaces_); links && *links != links_) {
    UseLinks(*std::move(links));
  }
  rescan_.expires_after(kRescan);
  rescan_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Rescan();
  });
}

void Responder::UseLinks(std::vector<Link> links) {
  for (const auto& channel : channels_) {
    const auto of_family = [&](const Link& link) {
      return FamilyOf(link) == channel->socket.family();
    };
    for (const Link& link : links_) {
      if (of_family(link) && !Contains(links, link)) channel->socket.Leave(link);
    }
    for (const Link& link : links) {
      if (!of_family(link) || Contains(links_, link)) continue;
      const Status joined = channel->socket.Join(link);
      if (!joined) {
        Log(LogLevel::kWarn,
            "mdns cannot listen on " + Describe({link}) + ": " + joined.error().detail());
      }
    }
  }
  links_ = std::move(links);
  Log(LogLevel::kDebug, "mdns listens on " + Describe(links_));
  for (const auto& [name, local] : locals_) {
    local->announced = 0;
    Repeat(local);
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

// A unicast reaches port 5353 through any interface, also through one that was not chosen.
void Responder::Handle(Channel& channel, const Datagram& datagram) {
  if (std::ranges::find(links_, datagram.interface_index, &Link::index) == links_.end()) return;
  const auto message = Parse(datagram.payload);
  if (!message) {
    ++malformed_;
    Log(LogLevel::kDebug, "mdns: " + message.error().detail() + " from " +
                              datagram.from.address().to_string() + " (" +
                              std::to_string(malformed_) + " so far)");
  } else if (message->is_response()) {
    TellWatchers(*message);
  } else {
    Answer(channel, datagram, *message);
  }
}

void Responder::Answer(Channel& channel, const Datagram& datagram, const Message& query) {
  for (const Message& answer : AnswersTo(query, VisibleTo(datagram), host_)) {
    const auto packet = Build(answer);
    if (!packet) continue;
    const Status sent = channel.socket.SendTo(datagram.from, *packet);
    if (!sent) Log(LogLevel::kDebug, "mdns: " + sent.error().detail());
  }
}

// A node on the loopback address is of use to this machine only.
std::vector<const Instance*> Responder::VisibleTo(const Datagram& datagram) const {
  std::vector<const Instance*> visible;
  std::optional<bool> is_own;
  for (const auto& [name, local] : locals_) {
    if (local->instance.address.is_loopback()) {
      if (!is_own) is_own = IsOwnAddress(datagram.from.address());
      if (!*is_own) continue;
    }
    visible.push_back(&local->instance);
  }
  return visible;
}

void Responder::TellWatchers(const Message& message) {
  if (watchers_.empty()) return;
  for (Sighting& sighting : ReadSightings(message)) {
    if (!filter_.IsNews(sighting, std::chrono::steady_clock::now())) continue;
    const auto kind = sighting.gone ? Change::Kind::kDelete : Change::Kind::kCreate;
    if (!watchers_.Tell({kind, std::move(sighting.service)})) {
      Log(LogLevel::kWarn, "mdns: a watcher is too slow, a change was dropped");
    }
  }
}

void Responder::Put(Instance instance, Duration ttl) {
  const auto [at, added] = locals_.try_emplace(instance.instance);
  std::shared_ptr<Local>& local = at->second;
  if (added) local = std::make_shared<Local>(loop_);
  Renew(local, ttl);
  if (local->instance == instance) return;
  if (!added) Multicast(local->instance, 0);
  local->instance = std::move(instance);
  local->announced = 0;
  Repeat(local);
}

void Responder::Remove(const Name& instance) {
  const auto gone = locals_.extract(instance);
  if (gone) Multicast(gone.mapped()->instance, 0);
}

// A wait that ended just before the renewal must not end the node: the time it is due decides.
void Responder::Renew(const std::shared_ptr<Local>& local, Duration ttl) {
  if (ttl <= Duration::zero()) {
    local->expiry.expires_at(TimePoint::max());
    return;
  }
  local->expiry.expires_after(ttl);
  local->expiry.async_wait([this,
                            weak = std::weak_ptr(local)](const boost::system::error_code& error) {
    const auto due = weak.lock();
    if (error || !due || due->expiry.expiry() > std::chrono::steady_clock::now()) return;
    Log(LogLevel::kWarn, "mdns: " + due->instance.instance.ToText() + " was not renewed in time");
    Remove(due->instance.instance);
  });
}

void Responder::Repeat(const std::shared_ptr<Local>& local) {
  Multicast(local->instance, kTtl);
  if (++local->announced >= kAnnouncements.size()) return;
  const auto pause = kAnnouncements.at(local->announced) - kAnnouncements.at(local->announced - 1);
  local->repetition.expires_after(pause);
  local->repetition.async_wait(
      [this, weak = std::weak_ptr(local)](const boost::system::error_code& error) {
        const auto due = weak.lock();
        if (!error && due) Repeat(due);
      });
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

void Responder::Log(LogLevel level, const std::string& line) const {
  if (logger_ && logger_->Enabled(level)) logger_->Write(level, line);
}

}  // namespace micro::mdns
