#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "micro/broker.h"
#include "micro/client.h"
#include "micro/error.h"
#include "micro/events.h"
#include "micro/handler.h"
#include "micro/health.h"
#include "micro/metrics.h"
#include "micro/middleware.h"
#include "micro/options.h"
#include "micro/pubsub.h"
#include "micro/registry.h"
#include "micro/runtime.h"
#include "micro/server.h"

namespace micro {

/// A program of the fleet: it serves handlers under a name, is found by that name, and calls
/// others.
///
///     int main(int argc, char** argv) {
///       micro::Service service({.name = "helloworld"}, argc, argv);
///       service.Handle(std::make_unique<Greeter>());
///       return service.Run();
///     }
///
/// Nothing goes out before it is used: a Service that is not started is a client only. What is
/// wrong with the options is kept, and every use answers with it: Run prints it in one sentence and
/// returns 2, calls fail with it.
class Service {
 public:
  /// Reads command line and MICRO_* variables over `options`.
  explicit Service(ServiceOptions options, int argc = 0, char** argv = nullptr);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  /// Stops it if it runs.
  ~Service();

  /// Whether it can be used: an error says which option is wrong, or carries the text of --help.
  /// Pass it to micro::Fail to end the program as Run would.
  const Status& status() const;
  /// The options as they are in effect.
  const ServiceOptions& options() const;
  /// What stood on the command line beside flags.
  const std::vector<std::string>& arguments() const;

  /// Serves `handler`; before Start. A method that is served twice is an error of status().
  void Handle(std::shared_ptr<Handler> handler);
  /// Puts `middleware` around every call that is served, or made; before the first.
  void Use(Middleware middleware);
  void UseClient(Middleware middleware);
  /// Puts `middleware` around every message that is handled, or published; before the first. The
  /// context's path() is the topic.
  void UseSubscriber(Middleware middleware);
  void UsePublisher(Middleware middleware);

  /// Publishes `message` on `topic`, and does not wait until it has left. A program that is not
  /// started can publish, too. Errors as Broker::Publish has them; INVALID_ARGUMENT also where
  /// there is no codec. On an event loop only without UsePublisher.
  Status Publish(std::string_view topic, const google::protobuf::Message& message,
                 PublishOptions options = {});
  /// The same for bytes.
  Status Publish(std::string_view topic, RawMessage message, PublishOptions options = {});
  /// The same to be awaited on an event loop; `message` is encoded before it is awaited.
  Task<Status> PublishAsync(std::string topic, const google::protobuf::Message& message,
                            PublishOptions options = {});
  Task<Status> PublishAsync(std::string topic, RawMessage message, PublishOptions options = {});

  /// Has `handler` handle the messages on `topic`, a topic or a pattern (TopicFilter):
  ///
  ///     service.Subscribe<Order>("orders.created", [](micro::Context& context, const Order& order)
  ///     {
  ///       return Bill(order);
  ///     }, {.queue = "billing"});
  ///
  /// A handler returns a Status and may block, or it returns Task<Status>, takes its message by
  /// value and runs on an event loop. T is a protobuf message, decoded by the content type that the
  /// message came with, or RawMessage for any bytes. The context's path() is the topic, and its
  /// metadata() what came beside the message.
  ///
  /// Before Start it takes effect with that; INVALID_ARGUMENT is then an error of status(), too.
  /// While the service runs it takes effect at once, and the registry is not told.
  template <typename T = RawMessage, typename F>
  Status Subscribe(std::string topic, F handler, SubscribeOptions options = {}) {
    return Subscribe(std::move(topic), internal::MakeMessageHandler<T>(std::move(handler)),
                     std::move(options));
  }

  Client& client();
  Runtime& runtime();
  Registry& registry();
  /// As it is, not connected before the first message is published or subscribed to.
  Broker& broker();
  /// The store of events that `--events` names; with none every use of it is FAILED_PRECONDITION.
  Events& events();
  /// What probes and balancers are told: by grpc.health.v1, and by `GET /healthz`.
  Health& health();
  /// What `GET /metrics` shows: the library's numbers, and the program's own.
  Metrics& metrics();

  /// Serves, then registers. Returns once other services can find this one. An event store that was
  /// chosen has to be there.
  Status Start();
  /// Says that it does not serve any more, deregisters, unsubscribes, then drains: messages that
  /// have arrived, and calls under way, have `drain_timeout` to end.
  void Stop();
  /// Start, serve until SIGTERM or SIGINT, Stop; returns the exit code for main. A second signal
  /// ends the process at once.
  int Run();

  /// "host:port" that is listened on; after Start.
  std::string address() const;

 private:
  struct Parts;

  Status Subscribe(std::string topic, std::unique_ptr<internal::MessageHandler> handler,
                   SubscribeOptions options);

  std::unique_ptr<Parts> parts_;
};

}  // namespace micro
