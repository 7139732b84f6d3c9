#include "service/defaults.h"

#include <memory>
#include <mutex>

#include "micro/plugins.h"

#include "broker/embedded/embedded.h"
#include "broker/memory/memory.h"
#include "broker/nats/nats.h"
#include "codec/bytes/bytes.h"
#include "codec/json/json.h"
#include "codec/proto/proto.h"
#include "events/jetstream/jetstream.h"
#include "events/memory/memory.h"
#include "events/none.h"
#include "registry/dns/dns.h"
#include "registry/etcd/etcd.h"
#include "registry/mdns/mdns.h"
#include "registry/memory/memory.h"
#include "registry/static/static.h"
#include "selector/consistent_hash.h"
#include "selector/least_loaded.h"
#include "selector/p2c.h"
#include "selector/prequal.h"
#include "selector/random.h"
#include "selector/round_robin.h"
#include "transport/grpc/grpc.h"
#include "transport/memory/memory.h"

namespace micro {
namespace {

// One registry, network, bus and log of events for all services that are made from the same Plugins
// value, and none for those that never ask.
RegistryFactory SharedMemoryRegistry() {
  struct Shared {
    std::mutex mutex;
    std::shared_ptr<Registry> registry;
  };
  return [shared = std::make_shared<Shared>()](
             const RegistryConfig& config) -> Result<std::shared_ptr<Registry>> {
    const std::lock_guard lock(shared->mutex);
    if (!shared->registry) {
      auto made = MakeMemoryRegistry(config);
      if (!made) return made;
      shared->registry = *std::move(made);
    }
    return shared->registry;
  };
}

TransportFactory SharedMemoryTransport() {
  return [network = MakeMemoryNetwork()](const TransportConfig& config) {
    return MakeMemoryTransport(network, config);
  };
}

BrokerFactory SharedMemoryBroker() {
  return
      [bus = MakeMemoryBus()](const BrokerConfig& config) { return MakeMemoryBroker(bus, config); };
}

EventsFactory SharedMemoryEvents() {
  return
      [log = MakeEventLog()](const EventsConfig& config) { return MakeMemoryEvents(log, config); };
}

template <typename Kind>
std::unique_ptr<Selector> MakeSelector(const SelectorConfig& config) {
  return std::make_unique<Kind>(config);
}

}  // namespace

std::shared_ptr<Registry> EmptyRegistry() { return *MakeMemoryRegistry({}); }
std::shared_ptr<Broker> EmptyBroker() { return *MakeMemoryBroker(MakeMemoryBus(), {}); }

Plugins DefaultPlugins() {
  Plugins plugins;
  plugins.registries["dns"] = MakeDnsRegistry;
  plugins.registries["etcd"] = [](const RegistryConfig& config) {
    return MakeEtcdRegistry(config, MakeGrpcTransport);
  };
  plugins.registries["mdns"] = MakeMdnsRegistry;
  plugins.registries["memory"] = SharedMemoryRegistry();
  plugins.registries["static"] = MakeStaticRegistry;
  plugins.selectors["consistent_hash"] = MakeSelector<ConsistentHashSelector>;
  plugins.selectors["least_loaded"] = MakeSelector<LeastLoadedSelector>;
  plugins.selectors["p2c"] = MakeSelector<P2cSelector>;
  plugins.selectors["prequal"] = MakeSelector<PrequalSelector>;
  plugins.selectors["random"] = MakeSelector<RandomSelector>;
  plugins.selectors["round_robin"] = MakeSelector<RoundRobinSelector>;
  plugins.transports["grpc"] = MakeGrpcTransport;
  plugins.transports["memory"] = SharedMemoryTransport();
  plugins.brokers["embedded"] = MakeEmbeddedBroker;
  plugins.brokers["memory"] = SharedMemoryBroker();
  plugins.brokers["nats"] = MakeNatsBroker;
  plugins.events["jetstream"] = MakeJetStreamEvents;
  plugins.events["memory"] = SharedMemoryEvents();
  plugins.events["none"] = [](const EventsConfig& /*config*/) { return MakeNoEvents({}); };
  // go-micro's content types for each codec; application/grpc without a sub-type is protobuf.
  plugins.codecs.Add(std::make_shared<ProtoCodec>(),
                     {"application/grpc", "application/proto", "application/protobuf",
                      "application/octet-stream"});
  plugins.codecs.Add(std::make_shared<JsonCodec>(), {"application/json"});
  plugins.codecs.Add(std::make_shared<BytesCodec>(), {});
  return plugins;
}

}  // namespace micro
