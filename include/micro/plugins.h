#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "micro/broker.h"
#include "micro/codec.h"
#include "micro/error.h"
#include "micro/events.h"
#include "micro/registry.h"
#include "micro/selector.h"
#include "micro/transport.h"

namespace micro {

using RegistryFactory = std::function<Result<std::shared_ptr<Registry>>(const RegistryConfig&)>;
using SelectorFactory = std::function<std::unique_ptr<Selector>(const SelectorConfig&)>;
using BrokerFactory = std::function<Result<std::shared_ptr<Broker>>(const BrokerConfig&)>;
using TransportFactory = std::function<Result<std::shared_ptr<Transport>>(const TransportConfig&)>;
using EventsFactory = std::function<Result<std::shared_ptr<Events>>(const EventsConfig&)>;

/// What a program is made of, by kind and name. A plain value: nothing registers itself, and what
/// is not chosen is never constructed.
///
///     micro::Plugins plugins = micro::DefaultPlugins();
///     plugins.registries["consul"] = MakeConsulRegistry;
///     plugins.codecs.Add(std::make_shared<MsgpackCodec>(), {"application/msgpack"});
///     micro::Service service({.name = "greeter", .plugins = plugins}, argc, argv);
struct Plugins {
  std::map<std::string, RegistryFactory> registries = {};
  std::map<std::string, SelectorFactory> selectors = {};
  std::map<std::string, TransportFactory> transports = {};
  std::map<std::string, BrokerFactory> brokers = {};
  std::map<std::string, EventsFactory> events = {};
  Codecs codecs = {};
};

/// Everything that comes with the library: registries dns, etcd, mdns, memory and static; selectors
/// least_loaded, p2c, prequal, round_robin, random and consistent_hash; transports grpc and memory;
/// brokers embedded, memory and nats; event stores jetstream and memory; codecs proto, json and
/// bytes.
Plugins DefaultPlugins();

}  // namespace micro
