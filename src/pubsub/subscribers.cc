#include "pubsub/subscribers.h"

#include <algorithm>
#include <utility>

#include "base/describe.h"

namespace micro::pubsub {

Status Subscribers::Add(std::string topic, std::unique_ptr<internal::MessageHandler> handler,
                        SubscribeOptions options) {
  if (Status checked = Subscriber::Check(topic, options); !checked) return checked;
  auto subscriber = std::make_shared<Subscriber>(parts_, publisher_, middleware_, std::move(topic),
                                                 std::move(options), std::move(handler));
  const std::lock_guard lock(mutex_);
  if (started_) {
    if (Status started = subscriber->Start(); !started) return started;
  }
  subscribers_.push_back(std::move(subscriber));
  return Ok();
}

Status Subscribers::Start() {
  const std::lock_guard lock(mutex_);
  started_ = true;
  for (const auto& subscriber : subscribers_) {
    if (Status started = subscriber->Start(); !started) return started;
  }
  return Ok();
}

void Subscribers::Leave() {
  const std::lock_guard lock(mutex_);
  started_ = false;
  for (const auto& subscriber : subscribers_) subscriber->Leave();
}

bool Subscribers::Stop(TimePoint until) {
  const std::lock_guard lock(mutex_);
  bool stopped = true;
  for (const auto& subscriber : subscribers_) stopped = subscriber->Stop(until) && stopped;
  return stopped;
}

std::vector<Endpoint> Subscribers::Endpoints() const {
  const std::lock_guard lock(mutex_);
  std::vector<Endpoint> endpoints;
  for (const auto& subscriber : subscribers_) {
    if (subscriber->options().internal) continue;
    const auto* type = subscriber->handler().type();
    endpoints.push_back({.name = "Func",
                         .request = type == nullptr ? Value{} : Describe(*type),
                         .metadata = {{"subscriber", "true"}, {"topic", subscriber->topic()}}});
  }
  std::ranges::stable_sort(endpoints, std::greater(),
                           [](const Endpoint& endpoint) { return endpoint.metadata.at("topic"); });
  return endpoints;
}

}  // namespace micro::pubsub
