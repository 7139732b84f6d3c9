#pragma once

#include <nats/nats.h>

#include <memory>
#include <mutex>
#include <string>

#include "micro/error.h"
#include "micro/events.h"

#include "nats/settings.h"

namespace micro::jetstream {

/// A connection to a server, and JetStream's calls over it.
class Connection {
 public:
  explicit Connection(natsConnection* connection) : connection_(connection) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    jsCtx_Destroy(js);
    natsConnection_Destroy(connection_);
  }

  natsConnection* get() const { return connection_; }
  bool closed() const { return natsConnection_IsClosed(connection_); }

  jsCtx* js = nullptr;

 private:
  natsConnection* const connection_;
};
using ConnectionPtr = std::shared_ptr<Connection>;

/// Where the stream is. Thread-safe.
class Link {
 public:
  Link(nats::Settings settings, EventsConfig config)
      : settings_(std::move(settings)), config_(std::move(config)) {}

  /// The connection, made if there is none, to a server that has the stream. What libnats does not
  /// come back from by itself is begun anew.
  Result<ConnectionPtr> Get();

  const EventsConfig& config() const { return config_; }
  const std::string& servers() const { return settings_.servers; }
  std::string SubjectOf(std::string_view topic) const {
    return config_.stream + "." + std::string(topic);
  }

 private:
  Result<ConnectionPtr> Dial() const;
  Status FindStream(jsCtx* js) const;
  Status MakeStream(jsCtx* js) const;
  Failure NoStream(natsStatus status, jsErrCode code) const;

  const nats::Settings settings_;
  const EventsConfig config_;
  std::mutex mutex_;
  ConnectionPtr connection_;
};

/// What went wrong, in libnats's words.
std::string Why(natsStatus status);

/// In libnats's milliseconds, at least one.
std::int64_t Milliseconds(Duration duration);

}  // namespace micro::jetstream
