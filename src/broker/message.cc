#include "broker/message.h"

#include "base/misconfigured.h"
#include "base/utf8.h"
#include "broker/topic.h"

namespace micro::broker {

Status Check(std::string_view topic, const RawMessage& message) {
  if (Status checked = CheckTopic(topic); !checked) return checked;
  for (const auto& [key, value] : message.metadata) {
    if (IsUtf8(key) && IsUtf8(value)) continue;
    return InvalidArgument("the metadata of a message is UTF-8, and a value is not: " +
                           std::string(IsUtf8(key) ? key : "its key"));
  }
  return Ok();
}

Status CheckNoServer(const BrokerConfig& config, std::string_view name) {
  const bool known = !config.username.empty() || !config.password.empty() ||
                     !config.token.empty() || !config.nkey_seed.empty() ||
                     !config.credentials.empty();
  const bool tls = config.tls || !config.tls_ca.empty() || !config.tls_cert.empty() ||
                   !config.tls_key.empty() || !config.tls_server_name.empty();
  if (!known && !tls) return Ok();
  return Misconfigured(std::string(known ? "--broker_username and the like" : "--broker_tls…") +
                       ": the " + std::string(name) +
                       " broker has no use for that; it is for "
                       "--broker=nats");
}

Failure Disconnected() { return FailedPrecondition("the broker was disconnected"); }

}  // namespace micro::broker
