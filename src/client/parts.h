#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "micro/codec.h"
#include "micro/duration.h"
#include "micro/runtime.h"
#include "micro/transport.h"

#include "client/counters.h"
#include "client/pool.h"
#include "client/prober.h"
#include "discovery/directory.h"
#include "observe/observer.h"
#include "observe/trace.h"

namespace micro {

struct ClientParts {
  std::string name;  ///< who calls; sent as micro-from-service
  Runtime* runtime = nullptr;
  std::shared_ptr<Transport> transport;
  std::shared_ptr<discovery::Directory> directory;
  Codecs codecs;
  Duration request_timeout{};
  client::Pool::Options pool = {};
  std::uint32_t retries = 1;
  Duration hedge_after = {};  ///< of calls that may be repeated; zero: they are not hedged
  observe::TraceHeaders trace_headers = {};
  std::shared_ptr<client::Prober> prober = {};  ///< to be given this client's connections
  std::shared_ptr<observe::Observer> observer = std::make_shared<observe::Observer>();
  std::shared_ptr<client::Counters> counters = {};  ///< made by the client
  Status broken = {};  ///< why there are no calls, when the rest could not be made
};

}  // namespace micro
