// What a client subscribes to.
#include <array>
#include <string>
#include <utility>

#include "natsd/client.h"
#include "natsd/engine.h"
#include "natsd/subject_pattern.h"

namespace micro::natsd {
namespace {

constexpr std::string_view kReservedQueue = "_sys_";

struct Fields {
  std::array<std::string_view, 3> field;
  std::size_t count = 0;  // 4: too many
};

Fields Split(std::string_view args) {
  Fields fields;
  for (std::string_view field = TakeField(args); !field.empty(); field = TakeField(args)) {
    if (fields.count < fields.field.size()) fields.field[fields.count] = field;
    if (++fields.count > fields.field.size()) break;
  }
  return fields;
}

}  // namespace

void Client::Subscribe(std::string_view args) {
  const Fields fields = Split(args);
  if (fields.count != 2 && fields.count != 3) return Close("Protocol Violation");
  const std::string_view subject = fields.field[0];
  const std::string_view queue = fields.count == 3 ? fields.field[1] : std::string_view();
  const std::string_view sid = fields.field[fields.count - 1];
  if (!IsPattern(subject)) return SendError("Invalid Subject");
  if (!MaySubscribe(subject, queue)) return;
  if (subscriptions_.find(sid) != subscriptions_.end()) return SayOk();
  const std::size_t most = engine().options().max_subscriptions;
  if (most != 0 && !in_process() && subscriptions_.size() >= most) {
    return SendError("maximum subscriptions exceeded");
  }
  auto made = std::make_unique<Subscription>(Subscription{.peer = this,
                                                          .subject = std::string(subject),
                                                          .queue = std::string(queue),
                                                          .sid = std::string(sid)});
  Subscription& subscription = *made;
  subscriptions_.emplace(sid, std::move(made));
  account_->sublist.Insert(subscription);
  engine().InterestAdded(*account_, subscription);
  SayOk();
}

bool Client::MaySubscribe(std::string_view subject, std::string_view queue) {
  std::string violation =
      "Permissions Violation for Subscription to \"" + std::string(subject) + "\"";
  const std::size_t tokens = engine().options().max_subject_tokens;
  if (tokens != 0 && CountTokens(subject) > tokens) {
    SendError(violation + ", too many tokens");
    return false;
  }
  const bool allowed = identity_ == nullptr || identity_->rules.MaySubscribe(subject, queue);
  if (allowed && queue != kReservedQueue) return true;
  if (!queue.empty()) violation += " using queue \"" + std::string(queue) + "\"";
  SendError(violation);
  return false;
}

void Client::Unsubscribe(std::string_view args) {
  const Fields fields = Split(args);
  if (fields.count != 1 && fields.count != 2) return Close("Protocol Violation");
  std::size_t max = 0;
  if (fields.count == 2 && !ReadSize(fields.field[1], max)) return Close("Protocol Violation");
  const auto found = subscriptions_.find(fields.field[0]);
  if (found != subscriptions_.end()) {
    Subscription& subscription = *found->second;
    subscription.max = max;
    if (max == 0 || subscription.delivered >= max) {
      Remove(found);
    } else {
      account_->sublist.Touch(subscription);
    }
  }
  SayOk();
}

void Client::Complete(Subscription& subscription) {
  const auto found = subscriptions_.find(subscription.sid);
  if (found != subscriptions_.end()) Remove(found);
}

void Client::Remove(Subscriptions::iterator at) {
  const std::unique_ptr<Subscription> subscription = std::move(at->second);
  subscriptions_.erase(at);
  account_->sublist.Remove(*subscription);
  engine().InterestRemoved(*account_, *subscription);
}

}  // namespace micro::natsd
