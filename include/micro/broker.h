#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "micro/duration.h"
#include "micro/error.h"
#include "micro/logger.h"
#include "micro/metadata.h"
#include "micro/registry.h"

namespace micro {

/// A message as a broker carries it: bytes, and what is said beside them.
struct RawMessage {
  /// Text, in UTF-8. Of a key that repeats only the last value is carried.
  Metadata metadata{};
  std::string body{};

  friend bool operator==(const RawMessage&, const RawMessage&) = default;
};

/// A subscription as a broker knows it.
struct TopicFilter {
  /// A topic, or a pattern: `*` stands for any one word, `>` at the end for one word or more.
  std::string topic{};
  /// The group this subscription is in: each message goes to one of its members. Empty: it gets
  /// all messages itself.
  std::string queue{};
};

/// Carries messages from those who publish on a topic to those who subscribe to it.
///
/// Topics are words joined by dots, as "orders.created": NATS's subjects. A message is carried at
/// most once, to those who are subscribed at the time; what one thread publishes comes in that
/// order to each subscription. For what must not be lost there is Events.
///
/// Thread-safe, and it never throws.
class Broker {
 public:
  /// Takes messages over, with the topic that each was published on. It must not block; it is
  /// called by threads of the broker or of publishers, of several at a time.
  using Receiver = std::function<void(std::string_view topic, RawMessage message)>;

  virtual ~Broker() = default;

  /// What a registry shows as a node's broker; the name it is chosen by, or go-micro's for it.
  virtual std::string_view name() const = 0;

  /// Called once, before the rest, and does not wait: a broker that is away is connected to in
  /// background. Fails for what no waiting helps against.
  virtual Status Connect() = 0;

  /// Takes a message over and does not wait for it to leave. INVALID_ARGUMENT for a topic that is
  /// none, and for text that is no UTF-8; RESOURCE_EXHAUSTED when too much waits to be sent, and
  /// for a message that is larger than the broker takes; FAILED_PRECONDITION after Disconnect.
  virtual Status Publish(std::string_view topic, RawMessage message) = 0;

  /// What is published by this program once it returns reaches `receiver`, and what others publish
  /// does, too, if the broker was there; a broker that was away is told when it is back. May block
  /// for a round trip. The subscription must not be destroyed within `receiver`; it may outlive
  /// the broker's connection.
  virtual Result<Subscription> Subscribe(const TopicFilter& filter, Receiver receiver) = 0;

  /// Has what was published leave, for up to `grace`, and ends the connection and the
  /// subscriptions. Called once at the most, and by the destructor with no grace.
  virtual void Disconnect(Duration grace) = 0;
};

/// What a broker is made from.
struct BrokerConfig {
  /// What `--broker_address` names; empty: the broker's own default. Each broker says what an
  /// address is to it: servers to connect to, or where to listen.
  std::vector<std::string> addresses{};
  /// The program, as the broker's own monitoring is to show it.
  std::string client_name{};
  std::shared_ptr<Logger> logger{};
  /// Where brokers that find each other look.
  std::shared_ptr<Registry> registry{};
  /// Where the broker counts what goes wrong; null: nowhere. Outlives the broker.
  Metrics* metrics = nullptr;
  /// Bytes that may wait to be sent.
  std::size_t max_pending = 8U << 20U;
  /// Bytes of a message that is received.
  std::size_t max_message = 4U << 20U;

  // For brokers that are servers of their own; others take no notice.

  std::chrono::nanoseconds timeout = std::chrono::seconds(2);  ///< to connect to a server
  std::string username{};                                      ///< empty: nobody logs in by name
  std::string password{};                                      ///< never logged
  std::string token{};                                         ///< never logged
  std::string nkey_seed{};                                     ///< file of an nkey's seed
  std::string credentials{};                                   ///< file of a JWT and its seed
  /// Whether it is spoken to with TLS; implied by `tls_cert` and by `tls_ca`. It is always
  /// verified.
  bool tls = false;
  std::string tls_ca{};           ///< PEM file of who may have signed its certificate
  std::string tls_cert{};         ///< PEM file of the certificate that it is shown
  std::string tls_key{};          ///< PEM file of the key of that
  std::string tls_server_name{};  ///< that its certificate is for; empty: the host that is dialled

  // For brokers that programs mesh by themselves.

  /// What the others must know to join; empty: nothing.
  std::string secret{};
};

}  // namespace micro
