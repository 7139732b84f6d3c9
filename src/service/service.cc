#include "micro/service.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/signal_set.hpp>

#include "base/misconfigured.h"
#include "base/uuid.h"
#include "client/parts.h"
#include "client/prober.h"
#include "events/none.h"
#include "net/advertise.h"
#include "observe/log_ring.h"
#include "observe/observer.h"
#include "observe/trace.h"
#include "pubsub/publisher.h"
#include "pubsub/subscribers.h"
#include "runtime/loop.h"
#include "server/parts.h"
#include "service/defaults.h"
#include "service/option_table.h"
#include "service/registration.h"

namespace micro {
namespace {

// Between the goodbye and the end of service: those who have not heard it yet are still served.
constexpr std::chrono::milliseconds kSettle{50};
// At the end, what messages that were published have to leave in.
constexpr std::chrono::seconds kFarewell{5};

// Threads a program may ask for; more are a slip of the finger.
constexpr std::uint64_t kMostLoops = 1024;
constexpr std::uint64_t kMostWorkers = 16384;

// What gRPC's prefix can count.
constexpr std::uint64_t kMostMessage = 0xffffffff;
// Less metadata than this does not hold what every call carries.
constexpr std::uint64_t kLeastMetadata = 1024;
constexpr std::uint64_t kMostMetadata = 16U << 20U;
constexpr std::uint64_t kMostConnections = 10'000'000;
constexpr std::uint64_t kMostStreams = 1'000'000;

struct Range {
  std::string_view flag;
  std::uint64_t value;
  std::uint64_t least;
  std::uint64_t most;
};

Status Check(const Range& range) {
  if (range.value >= range.least && range.value <= range.most) return Ok();
  return Misconfigured("--" + std::string(range.flag) + ": " + std::to_string(range.value) +
                       " is not between " + std::to_string(range.least) + " and " +
                       std::to_string(range.most));
}

template <typename Factories>
auto Choose(const Factories& factories, std::string_view kind, const std::string& name)
    -> Result<typename Factories::mapped_type> {
  const auto found = factories.find(name);
  if (found != factories.end()) return found->second;
  std::string known;
  for (const auto& [one, factory] : factories) known += (known.empty() ? "" : ", ") + one;
  return Misconfigured("unknown " + std::string(kind) + " \"" + name + "\"; known: " + known);
}

}  // namespace

struct Service::Parts {
  Parts(ServiceOptions given, int argc, char** argv)
      : options(std::move(given)), observer(std::make_shared<observe::Observer>(options.spans)) {
    if (Status read = Read(argc, argv); !read) status = read;
    if (!options.logger) options.logger = StderrLogger(log_level);
    options.logger = observe::TeeLogger(options.logger, observer->log());
    runtime = std::make_unique<Runtime>(RuntimeOptions{.loops = status ? options.loops : 1,
                                                       .workers = options.worker_threads,
                                                       .worker_queue = options.worker_queue,
                                                       .logger = options.logger});
    if (Status made = Make(); status && !made) status = made;
    MakeClient();
    MakeServer();
    MakePubSub();
  }

  Status Read(int argc, char** argv) {
    auto read = service::ReadOptions(options, argc, argv);
    if (!read) return Failure(read.error());
    arguments = *std::move(read);
    const auto level = ParseLogLevel(options.log_level);
    if (!level) {
      return Misconfigured("--log_level: " + level.error().detail());
    }
    log_level = *level;
    const auto headers = observe::ParseTraceHeaders(options.trace_headers);
    if (!headers) {
      return Misconfigured("--trace_headers: " + headers.error().detail());
    }
    trace_headers = *headers;
    if (options.id.empty()) options.id = RandomUuid();
    return CheckRanges();
  }

  Status CheckRanges() const {
    const std::initializer_list<Range> ranges = {
        {"loops", options.loops, 0, kMostLoops},
        {"worker_threads", options.worker_threads, 1, kMostWorkers},
        {"max_message_size", options.max_message_size, 1, kMostMessage},
        {"max_send_message_size", options.max_send_message_size, 1, kMostMessage},
        {"max_metadata_size", options.max_metadata_size, kLeastMetadata, kMostMetadata},
        {"max_connections", options.max_connections, 1, kMostConnections},
        {"max_concurrent_streams", options.max_concurrent_streams, 1, kMostStreams},
    };
    for (const Range& range : ranges) {
      if (Status checked = Check(range); !checked) return checked;
    }
    if (options.keepalive_time == Duration::zero() || options.keepalive_timeout > Duration::zero())
      return Ok();
    return Misconfigured(
        "--keepalive_timeout: an answer needs time; --keepalive_time=0 turns pings off");
  }

  // What is chosen by name. Nothing is constructed when anything is wrong.
  Status Make() {
    if (!status) return status;
    const auto make_registry = Choose(options.plugins.registries, "registry", options.registry);
    if (!make_registry) return Failure(make_registry.error());
    const auto make_transport = Choose(options.plugins.transports, "transport", options.transport);
    if (!make_transport) return Failure(make_transport.error());
    const auto make_broker = Choose(options.plugins.brokers, "broker", options.broker);
    if (!make_broker) return Failure(make_broker.error());
    const auto make_events = Choose(options.plugins.events, "event store", options.events);
    if (!make_events) return Failure(make_events.error());
    auto chosen_selector = Choose(options.plugins.selectors, "selector", options.selector);
    if (!chosen_selector) return Failure(chosen_selector.error());
    make_selector = [make = *std::move(chosen_selector),
                     config = SelectorConfig{.slow_start = options.client_slow_start,
                                             .prober = prober}] { return make(config); };
    auto made_registry = (*make_registry)(RegistryConfigOf());
    if (!made_registry) return Failure(made_registry.error());
    registry = *std::move(made_registry);
    auto made_transport = (*make_transport)(TransportConfigOf());
    if (!made_transport) return Failure(made_transport.error());
    transport = *std::move(made_transport);
    auto made_broker = (*make_broker)(BrokerConfigOf());
    if (!made_broker) return Failure(made_broker.error());
    broker = *std::move(made_broker);
    auto made_events = (*make_events)(EventsConfigOf());
    if (!made_events) return Failure(made_events.error());
    events = *std::move(made_events);
    return Ok();
  }

  RegistryConfig RegistryConfigOf() const {
    return {.addresses = options.registry_address,
            .logger = options.logger,
            .timeout = options.registry_timeout,
            .username = options.registry_username,
            .password = options.registry_password,
            .tls = options.registry_tls,
            .tls_ca = options.registry_tls_ca,
            .tls_cert = options.registry_tls_cert,
            .tls_key = options.registry_tls_key,
            .tls_server_name = options.registry_tls_server_name,
            .metrics = &observer->metrics()};
  }

  // How a NATS server knows us is said once, for whatever of ours speaks to one.
  BrokerConfig BrokerConfigOf() const {
    if (options.events != "jetstream" || options.broker == "nats") return NatsConfigOf();
    return {.addresses = options.broker_address,
            .client_name = options.name,
            .logger = options.logger,
            .registry = registry,
            .metrics = &observer->metrics(),
            .max_pending = options.broker_max_pending,
            .max_message = options.max_message_size,
            .secret = options.broker_secret};
  }

  BrokerConfig NatsConfigOf() const {
    return {.addresses = options.broker_address,
            .client_name = options.name,
            .logger = options.logger,
            .registry = registry,
            .metrics = &observer->metrics(),
            .max_pending = options.broker_max_pending,
            .max_message = options.max_message_size,
            .username = options.broker_username,
            .password = options.broker_password,
            .token = options.broker_token,
            .nkey_seed = options.broker_nkey,
            .credentials = options.broker_credentials,
            .tls = options.broker_tls,
            .tls_ca = options.broker_tls_ca,
            .tls_cert = options.broker_tls_cert,
            .tls_key = options.broker_tls_key,
            .tls_server_name = options.broker_tls_server_name,
            .secret = options.broker_secret};
  }

  EventsConfig EventsConfigOf() const {
    BrokerConfig at = NatsConfigOf();
    at.addresses = options.events_address;
    if (at.addresses.empty() && options.broker == "nats" && options.events == "jetstream")
      at.addresses = options.broker_address;
    return {.server = std::move(at),
            .stream = options.events_stream,
            .max_age = options.events_max_age,
            .max_bytes = options.events_max_bytes,
            .replicas = options.events_replicas};
  }

  TransportConfig TransportConfigOf() const {
    return {.runtime = runtime.get(),
            .limits = {.max_message = options.max_message_size,
                       .max_send = options.max_send_message_size,
                       .max_metadata = options.max_metadata_size,
                       .max_streams = options.max_concurrent_streams,
                       .max_connections = options.max_connections},
            .lifetimes = {.keepalive_time = options.keepalive_time,
                          .keepalive_timeout = options.keepalive_timeout,
                          .max_age = options.max_connection_age,
                          .max_idle = options.max_connection_idle},
            .tls = {.cert = options.tls_cert,
                    .key = options.tls_key,
                    .ca = options.tls_ca,
                    .client_auth = options.tls_client_auth,
                    .server_name = options.tls_server_name,
                    .dial = options.tls,
                    .skip_verify = options.tls_skip_verify,
                    .handshake_timeout = options.tls_handshake_timeout},
            .handshake_timeout = options.handshake_timeout,
            .cors_origins = options.cors_origins};
  }

  void MakeClient() {
    if (!registry) registry = EmptyRegistry();
    directory = std::make_shared<discovery::Directory>(
        discovery::Surroundings{.runtime = runtime.get(),
                                .registry = registry,
                                .make_selector = make_selector,
                                .zone = options.zone,
                                .max_node_calls = options.client_max_node_calls,
                                .metrics = &observer->metrics()});
    client = std::make_unique<Client>(
        ClientParts{.name = options.name,
                    .runtime = runtime.get(),
                    .transport = transport,
                    .directory = directory,
                    .codecs = options.plugins.codecs,
                    .request_timeout = options.client_request_timeout,
                    .pool = {.dial_timeout = options.client_dial_timeout,
                             .most = std::max<std::size_t>(options.client_pool_size, 1),
                             .idle_time = options.client_pool_ttl},
                    .retries = options.client_retries,
                    .hedge_after = options.client_hedge_after,
                    .trace_headers = trace_headers,
                    .prober = prober,
                    .observer = observer,
                    .broken = status});
  }

  void MakeServer() {
    server = std::make_unique<Server>(ServerParts{.name = options.name,
                                                  .address = options.address,
                                                  .runtime = runtime.get(),
                                                  .transport = transport,
                                                  .codecs = options.plugins.codecs,
                                                  .max_in_flight = options.max_in_flight,
                                                  .reflection = options.reflection,
                                                  .debug = options.debug_handler,
                                                  .load = options.load_handler,
                                                  .metrics_page = options.metrics,
                                                  .discovery_page = DiscoveryPage(),
                                                  .observer = observer});
  }

  void MakePubSub() {
    if (!broker) broker = EmptyBroker();
    if (!events) events = *MakeNoEvents(status);
    lazy_broker = std::make_shared<pubsub::LazyBroker>(broker);
    const pubsub::Parts parts{.name = options.name,
                              .runtime = runtime.get(),
                              .broker = lazy_broker,
                              .codecs = options.plugins.codecs,
                              .trace_headers = trace_headers,
                              .observer = observer,
                              .broken = status};
    publisher = std::make_unique<pubsub::Publisher>(parts);
    subscribers = std::make_unique<pubsub::Subscribers>(parts, *publisher);
  }

  std::function<std::string(bool)> DiscoveryPage() const {
    return [known = directory](bool json) {
      const auto services = known->Report();
      return json ? discovery::ToJson(services) : discovery::ToText(services);
    };
  }

  // What goes into the registry; the five keys are those go-micro's servers write.
  Result<ServiceInfo> Describe() const {
    const auto address = net::AdvertisedAddress(server->address(), options.advertise);
    if (!address) return Failure(address.error());
    Node node{
        .id = options.name + "-" + options.id, .address = *address, .metadata = options.metadata};
    if (!options.zone.empty()) node.metadata["zone"] = options.zone;
    node.metadata["broker"] = broker->name();
    node.metadata["protocol"] = "grpc";
    node.metadata["registry"] = registry->name();
    node.metadata["server"] = "grpc";
    node.metadata["transport"] = transport->name();
    auto endpoints = server->endpoints();
    std::ranges::move(subscribers->Endpoints(), std::back_inserter(endpoints));
    return ServiceInfo{.name = options.name,
                       .version = options.version,
                       .metadata = {},
                       .endpoints = std::move(endpoints),
                       .nodes = {std::move(node)}};
  }

  void Say(const std::string& line) { options.logger->Write(LogLevel::kInfo, line); }

  ServiceOptions options;
  std::shared_ptr<observe::Observer> observer;
  std::vector<std::string> arguments;
  Status status;
  LogLevel log_level = LogLevel::kInfo;
  observe::TraceHeaders trace_headers;
  std::unique_ptr<Runtime> runtime;
  std::shared_ptr<Registry> registry;
  std::shared_ptr<Transport> transport;
  const std::shared_ptr<client::Prober> prober = std::make_shared<client::Prober>();
  std::function<std::unique_ptr<Selector>()> make_selector;
  std::shared_ptr<discovery::Directory> directory;
  std::shared_ptr<Broker> broker;
  std::shared_ptr<Events> events;
  std::shared_ptr<pubsub::LazyBroker> lazy_broker;
  std::unique_ptr<Client> client;
  std::unique_ptr<Server> server;
  std::unique_ptr<pubsub::Publisher> publisher;
  std::unique_ptr<pubsub::Subscribers> subscribers;
  std::unique_ptr<service::Registration> registration;
  bool started = false;
  bool drained = true;  // whether every call had ended at the last stop
};

Service::Service(ServiceOptions options, int argc, char** argv)
    : parts_(std::make_unique<Parts>(std::move(options), argc, argv)) {}

// What was published without being started leaves, too.
Service::~Service() {
  Stop();
  parts_->lazy_broker->Disconnect(std::min<Duration>(parts_->options.drain_timeout, kFarewell));
}

const Status& Service::status() const { return parts_->status; }
const ServiceOptions& Service::options() const { return parts_->options; }
const std::vector<std::string>& Service::arguments() const { return parts_->arguments; }

void Service::Handle(std::shared_ptr<Handler> handler) {
  Status handled = parts_->server->Handle(std::move(handler));
  if (!handled && parts_->status) {
    parts_->status = Fails(handled.error().set_phase(Phase::kConfigure));
  }
}

void Service::Use(Middleware middleware) { parts_->server->Use(std::move(middleware)); }
void Service::UseClient(Middleware middleware) { parts_->client->Use(std::move(middleware)); }
void Service::UseSubscriber(Middleware middleware) {
  parts_->subscribers->Use(std::move(middleware));
}
void Service::UsePublisher(Middleware middleware) { parts_->publisher->Use(std::move(middleware)); }

Status Service::Publish(std::string_view topic, const google::protobuf::Message& message,
                        PublishOptions options) {
  return parts_->publisher->Publish(topic, message, options);
}

Status Service::Publish(std::string_view topic, RawMessage message, PublishOptions options) {
  return parts_->publisher->Publish(topic, std::move(message), options);
}

Task<Status> Service::PublishAsync(std::string topic, const google::protobuf::Message& message,
                                   PublishOptions options) {
  return parts_->publisher->PublishAsync(std::move(topic),
                                         parts_->publisher->Encode(message, options), options);
}

Task<Status> Service::PublishAsync(std::string topic, RawMessage message, PublishOptions options) {
  return parts_->publisher->PublishAsync(std::move(topic), std::move(message), options);
}

Status Service::Subscribe(std::string topic, std::unique_ptr<internal::MessageHandler> handler,
                          SubscribeOptions options) {
  if (!parts_->status) return parts_->status;
  Status added = parts_->subscribers->Add(std::move(topic), std::move(handler), std::move(options));
  if (!added && !parts_->started) {
    parts_->status = Fails(added.error().set_phase(Phase::kConfigure));
  }
  return added;
}

Client& Service::client() { return *parts_->client; }
Runtime& Service::runtime() { return *parts_->runtime; }
Registry& Service::registry() { return *parts_->registry; }
Broker& Service::broker() { return *parts_->broker; }
Events& Service::events() { return *parts_->events; }
Metrics& Service::metrics() { return parts_->observer->metrics(); }
Health& Service::health() { return parts_->server->health(); }
std::string Service::address() const { return parts_->server->address(); }

Status Service::Start() {
  Parts& parts = *parts_;
  if (!parts.status) return parts.status;
  if (parts.started) return FailedPrecondition("the service runs already");
  if (parts.options.name.empty()) {
    return Misconfigured("a service needs a name (--server_name)");
  }
  if (parts.options.events != "none") {
    if (Status there = parts.events->Connect(); !there) return there;
  }
  if (Status started = parts.server->Start(); !started) return started;
  auto described = parts.Describe();
  Status subscribed = described ? parts.subscribers->Start() : Failure(described.error());
  if (!subscribed) {
    parts.subscribers->Leave();
    parts.server->Stop(Duration::zero());
    return subscribed;
  }
  parts.started = true;
  parts.Say("listening on " + parts.server->address());
  parts.registration = std::make_unique<service::Registration>(
      parts.registry, *std::move(described), parts.options.register_ttl,
      parts.options.register_interval, *parts.options.logger);
  return Ok();
}

// Calls may be answered, and messages handled, by publishing: the broker goes last.
void Service::Stop() {
  Parts& parts = *parts_;
  if (!std::exchange(parts.started, false)) return;
  parts.server->Leave();
  parts.registration.reset();
  parts.subscribers->Leave();
  std::this_thread::sleep_for(kSettle);
  const TimePoint until =
      runtime::Later(std::chrono::steady_clock::now(), parts.options.drain_timeout);
  const bool handled = parts.subscribers->Stop(until);
  const Duration left =
      std::max<Duration>(until - std::chrono::steady_clock::now(), Duration::zero());
  parts.drained = parts.server->Stop(left) && handled;
}

int Service::Run() {
  Parts& parts = *parts_;
  if (!parts.status) return Fail(parts.status.error());
  internal::Parker signalled;
  boost::asio::signal_set signals(runtime::Loop::Of(parts.runtime->loop(0)).io(), SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    parts.Say("signal " + std::to_string(signal) + ": leaving");
    signals.async_wait([](const boost::system::error_code& failed, int second) {
      if (!failed) std::_Exit(128 + second);
    });
    signalled.Signal();
  });
  if (Status started = Start(); !started) {
    signals.cancel();
    return Fail(started.error());
  }
  signalled.Wait();
  Stop();
  // A handler that heeds no cancellation would keep its thread, and this process, for ever.
  if (!parts.drained) std::_Exit(1);
  return 0;
}

}  // namespace micro
