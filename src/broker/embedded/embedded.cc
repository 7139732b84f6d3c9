#include "broker/embedded/embedded.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/misconfigured.h"
#include "base/overload.h"
#include "broker/embedded/mesh.h"
#include "broker/embedded/secret.h"
#include "broker/envelope.h"
#include "broker/inlet.h"
#include "broker/message.h"
#include "broker/topic.h"
#include "natsd/server.h"
#include "net/advertise.h"
#include "runtime/timer.h"

namespace micro {
namespace {

using broker::RecipientPtr;
using embedded::Mesh;
using embedded::Secret;

// For how long what is published first waits until the other programs are reached.
constexpr std::chrono::milliseconds kJoin{2'000};
constexpr std::chrono::milliseconds kGlance{2};

natsd::Options ServerOptions(const BrokerConfig& config, const HostPort& bind) {
  natsd::Options options;
  options.host = "127.0.0.1";
  options.port = -1;
  options.cluster.host = bind.host.empty() ? "0.0.0.0" : bind.host;
  options.cluster.port = bind.port == 0 ? -1 : bind.port;
  // Client ports are those of other hosts' loopbacks, as go-micro's are.
  options.cluster.no_advertise = true;
  const Secret secret(config.secret);
  options.cluster.user = secret.user();
  options.cluster.password = secret.password();
  return options;
}

// A server and our own client of it; kept by subscriptions, which may outlive their broker.
struct Core {
  std::unique_ptr<natsd::Server> server;
  std::unique_ptr<natsd::InProcessClient> client;
};

// What the server says of its connections is of interest to whoever looks for a fault.
class Quiet final : public Logger {
 public:
  explicit Quiet(std::shared_ptr<Logger> logger) : logger_(std::move(logger)) {}
  bool Enabled(LogLevel level) const override { return logger_->Enabled(Lowered(level)); }
  void Write(LogLevel level, std::string_view message) override {
    logger_->Write(Lowered(level), message);
  }

 private:
  static LogLevel Lowered(LogLevel level) {
    return level == LogLevel::kInfo ? LogLevel::kDebug : level;
  }
  const std::shared_ptr<Logger> logger_;
};

class EmbeddedBroker final : public Broker {
 public:
  EmbeddedBroker(BrokerConfig config, HostPort bind)
      : config_(std::move(config)),
        bind_(std::move(bind)),
        logger_(config_.logger ? config_.logger : StderrLogger()),
        counts_(std::make_shared<broker::Counts>(config_.metrics)) {}
  ~EmbeddedBroker() override { Disconnect(Duration::zero()); }

  std::string_view name() const override { return "eats"; }

  Status Connect() override {
    auto server =
        natsd::Server::Start(ServerOptions(config_, bind_), std::make_shared<Quiet>(logger_));
    if (!server) return Failure(server.error());
    core_->server = *std::move(server);
    auto client = core_->server->Connect(
        {.name = config_.client_name, .max_outgoing = config_.max_pending, .waits = false});
    if (!client) return Failure(client.error());
    core_->client = *std::move(client);
    return config_.registry ? Join() : Ok();
  }

  Status Publish(std::string_view topic, RawMessage message) override {
    if (Status checked = broker::Check(topic, message); !checked) return checked;
    std::string envelope = broker::WriteEnvelope(message);
    if (!joining_.load(std::memory_order_acquire)) return Send(topic, envelope);
    const std::lock_guard lock(mutex_);
    if (!joining_.load(std::memory_order_relaxed)) return Send(topic, envelope);
    return Keep(topic, std::move(envelope));
  }

  Result<Subscription> Subscribe(const TopicFilter& filter, Receiver receiver) override {
    if (Status checked = broker::CheckFilter(filter); !checked) return Failure(checked.error());
    if (ended_.load()) return broker::Disconnected();
    auto recipient = std::make_shared<broker::Recipient>(filter, std::move(receiver));
    auto inlet = std::make_shared<broker::Inlet>(recipient, counts_, logger_, config_.max_message);
    auto id = core_->client->Subscribe(filter.topic, filter.queue,
                                       [inlet](const natsd::InProcessMessage& message) {
                                         inlet->Take(message.subject, message.payload);
                                       });
    if (!id) return Failure(id.error());
    return Subscription([core = core_, recipient, number = *id] {
      core->client->Drain(number);
      recipient->End();
    });
  }

  // First nobody else is to join, then what is here is to leave.
  void Disconnect(Duration grace) override {
    if (ended_.exchange(true) || !core_->server) return;
    const TimePoint until = runtime::Later(std::chrono::steady_clock::now(), grace);
    {
      std::unique_lock lock(mutex_);
      joined_.wait_until(lock, until, [this] { return !joining_.load(std::memory_order_relaxed); });
    }
    Joined();
    if (sooner_.joinable()) sooner_.join();
    mesh_.reset();
    while (core_->client->Flush() && Unsent() > 0 && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(kGlance);
    }
    core_->server->Shutdown();
  }

 private:
  struct Kept {
    std::string topic;
    std::string envelope;
  };

  Status Join() {
    auto address = net::AdvertisedAddress(
        JoinHostPort(bind_.host.empty() ? "0.0.0.0" : bind_.host, core_->server->route_port()), "");
    if (!address) return Failure(address.error());
    joining_.store(true);
    mesh_ = std::make_unique<Mesh>(Mesh::Parts{.server = core_->server.get(),
                                               .registry = config_.registry,
                                               .address = *std::move(address),
                                               .secret = Secret(config_.secret),
                                               .logger = logger_,
                                               .counts = counts_,
                                               .joined = [this] { Joined(); }});
    // A registry may take its time to say that it is away.
    sooner_ = std::thread([this] {
      {
        std::unique_lock lock(mutex_);
        joined_.wait_for(lock, kJoin, [this] { return !joining_.load(std::memory_order_relaxed); });
      }
      Joined();
    });
    return Ok();
  }

  // What was kept goes ahead of what comes next.
  void Joined() {
    const std::lock_guard lock(mutex_);
    for (const Kept& kept : kept_) {
      if (Status sent = core_->client->Publish(kept.topic, kept.envelope); !sent)
        counts_->lost.Add();
    }
    kept_.clear();
    kept_bytes_ = 0;
    joining_.store(false, std::memory_order_release);
    joined_.notify_all();
  }

  Status Keep(std::string_view topic, std::string envelope) {
    if (ended_.load()) return broker::Disconnected();
    const std::size_t bytes = topic.size() + envelope.size();
    if (kept_bytes_ + bytes > config_.max_pending) {
      counts_->refused.Add();
      return Fails(Overloaded(std::to_string(kept_bytes_) +
                              " bytes of messages wait until the other programs are found "
                              "(--broker_max_pending)"));
    }
    kept_bytes_ += bytes;
    kept_.push_back({std::string(topic), std::move(envelope)});
    return Ok();
  }

  Status Send(std::string_view topic, const std::string& envelope) {
    if (ended_.load(std::memory_order_relaxed)) return broker::Disconnected();
    Status sent = core_->client->Publish(topic, envelope);
    if (!sent && sent.error().code() == Code::kResourceExhausted) counts_->refused.Add();
    return sent;
  }

  std::size_t Unsent() const {
    std::size_t bytes = 0;
    for (const auto& route : core_->server->Routes()) bytes += route.pending_bytes;
    return bytes;
  }

  const BrokerConfig config_;
  const HostPort bind_;
  const std::shared_ptr<Logger> logger_;
  const std::shared_ptr<broker::Counts> counts_;
  const std::shared_ptr<Core> core_ = std::make_shared<Core>();
  std::unique_ptr<Mesh> mesh_;
  std::thread sooner_;
  std::atomic<bool> joining_{false};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::condition_variable joined_;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace

Result<std::shared_ptr<Broker>> MakeEmbeddedBroker(const BrokerConfig& config) {
  if (config.addresses.size() > 1) {
    return Misconfigured(
        "--broker_address: the embedded broker listens on one address, such as :0");
  }
  if (Status right = broker::CheckNoServer(config, "embedded"); !right) {
    return Failure(right.error());
  }
  HostPort bind;
  if (!config.addresses.empty()) {
    auto parsed = ParseHostPort(config.addresses.front());
    if (!parsed) return Misconfigured("--broker_address: " + parsed.error().detail());
    bind = *std::move(parsed);
  }
  return std::make_shared<EmbeddedBroker>(config, std::move(bind));
}

}  // namespace micro
