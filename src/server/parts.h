#pragma once

#include <functional>
#include <memory>
#include <string>

#include "micro/codec.h"
#include "micro/runtime.h"
#include "micro/transport.h"

#include "observe/observer.h"

namespace micro {

struct ServerParts {
  std::string name;
  std::string address;
  Runtime* runtime = nullptr;
  std::shared_ptr<Transport> transport;
  Codecs codecs;
  std::size_t max_in_flight = 0;  ///< calls at a time; 0: no limit
  bool reflection = true;         ///< whether server reflection is served
  bool debug = true;              ///< whether go-micro's Debug handler is
  bool load = true;               ///< whether callers are told how busy the server is
  bool metrics_page = true;       ///< whether there is a GET /metrics
  /// What GET /debug/discovery shows, as text or as JSON, where there is a GET /metrics; null:
  /// there is no such page.
  std::function<std::string(bool json)> discovery_page = {};
  std::shared_ptr<observe::Observer> observer = std::make_shared<observe::Observer>();
};

}  // namespace micro
