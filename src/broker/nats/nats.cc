#include "broker/nats/nats.h"

#include <utility>

#include "broker/envelope.h"
#include "broker/message.h"
#include "broker/nats/session.h"
#include "broker/topic.h"

namespace micro {
namespace {

class NatsBroker final : public Broker {
 public:
  explicit NatsBroker(std::shared_ptr<nats::Session> session) : session_(std::move(session)) {}
  ~NatsBroker() override { Disconnect(Duration::zero()); }

  std::string_view name() const override { return "nats"; }

  Status Connect() override {
    session_->Start();
    return Ok();
  }

  Status Publish(std::string_view topic, RawMessage message) override {
    if (Status checked = broker::Check(topic, message); !checked) return checked;
    return session_->Publish(topic, broker::WriteEnvelope(message));
  }

  Result<Subscription> Subscribe(const TopicFilter& filter, Receiver receiver) override {
    if (Status checked = broker::CheckFilter(filter); !checked) return Failure(checked.error());
    auto recipient = std::make_shared<broker::Recipient>(filter, std::move(receiver));
    if (Status made = session_->Subscribe(recipient); !made) return Failure(made.error());
    return Subscription([session = session_, recipient] { session->Unsubscribe(recipient); });
  }

  void Disconnect(Duration grace) override { session_->End(grace); }

 private:
  const std::shared_ptr<nats::Session> session_;
};

}  // namespace

Result<std::shared_ptr<Broker>> MakeNatsBroker(const BrokerConfig& config) {
  auto settings = nats::MakeSettings(config, "broker");
  if (!settings) return Failure(settings.error());
  auto session = std::make_shared<nats::Session>(*std::move(settings), config);
  return std::make_shared<NatsBroker>(std::move(session));
}

}  // namespace micro
