#pragma once

#include <nats/nats.h>

#include <memory>
#include <string>
#include <vector>

#include "micro/broker.h"
#include "micro/error.h"

namespace micro::nats {

struct FreeOptions {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
};
using OptionsPtr = std::unique_ptr<natsOptions, FreeOptions>;

/// How a NATS server is connected to.
struct Settings {
  OptionsPtr options;
  std::string servers;  ///< as they are shown in logs, without passwords
};

/// What `config` says in libnats's terms; an error has Phase::kConfigure. Addresses are "host",
/// "host:port", or one of these behind "nats://" or "tls://", with "user:password@" ahead of the
/// host; none given: nats://127.0.0.1:4222. `kind` is whose address flag it is,
/// "broker" or "events"; the other flags are the broker's in any case.
Result<Settings> MakeSettings(const BrokerConfig& config, const std::string& kind);

}  // namespace micro::nats
