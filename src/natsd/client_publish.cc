// What a client publishes.
#include <algorithm>
#include <string>

#include "natsd/client.h"
#include "natsd/engine.h"
#include "natsd/subject_pattern.h"

namespace micro::natsd {
namespace {

// How many subjects a client's permission is remembered for.
constexpr std::size_t kRemembered = 1024;

bool IsReservedReply(std::string_view reply) {
  return reply.starts_with("_R_.") || reply.starts_with("$GNR.");
}

// The header that tells a requester that nobody is there.
constexpr std::string_view kNobody = "16 16\r\nNATS/1.0 503\r\n\r\n\r\n";

}  // namespace

void Client::Publish(const Unit& unit, const SlabRef& slab) {
  ++traffic_.in_messages;
  traffic_.in_bytes += unit.body.size();
  if (unit.op == Op::kHpub && !headers_) [[unlikely]]
    return Close("Protocol Violation");
  if (!plain_ || IsReservedReply(unit.reply) || unit.subject.starts_with("$GNR.")) [[unlikely]] {
    if (!MayPublish(unit)) return;
  }
  Publication message{.reply = unit.reply,
                      .body = unit.body,
                      .header_size = unit.header_size,
                      .headers = unit.op == Op::kHpub,
                      .tail = unit.tail,
                      .slab = &slab};
  if (unit.tail.empty()) [[unlikely]] {
    canonical_.clear();
    if (!unit.reply.empty()) canonical_.append(unit.reply).append(" ");
    if (message.headers) canonical_.append(std::to_string(unit.header_size)).append(" ");
    canonical_.append(std::to_string(unit.body.size())).append("\r\n");
    canonical_.append(unit.body).append("\r\n");
    message.tail = canonical_;
    message.slab = nullptr;
  }
  Plan& plan = PlanFor(unit);
  const bool delivered = engine().router().FromClient(*this, plan, message);
  if (Peer* crowded = engine().router().TakeCrowded()) [[unlikely]]
    WaitFor(*crowded);
  if (!delivered && options_.no_responders && !unit.reply.empty()) SayNobody(unit.reply);
}

// The plan of the subject published to last is at hand while nothing has changed.
Plan& Client::PlanFor(const Unit& unit) {
  Plans& plans = account_->plans;
  if (unit.expected && last_plan_ != nullptr && last_epoch_ == plans.epoch()) return *last_plan_;
  Plan& plan = plans.For(unit.subject);
  if (!unit.expected) last_subject_.assign(unit.subject);
  last_plan_ = plans.IsKept(plan) ? &plan : nullptr;
  last_epoch_ = plans.epoch();
  return plan;
}

// With what is said about it. What is refused is dropped, and the client stays.
bool Client::MayPublish(const Unit& unit) {
  if (IsReservedReply(unit.reply)) {
    SendError("Permissions Violation for Publish with Reply of \"" + std::string(unit.reply) +
              "\"");
    return false;
  }
  if (unit.subject.starts_with("$GNR.") || (restricted_ && !AllowedToPublish(unit.subject))) {
    SendError("Permissions Violation for Publish to \"" + std::string(unit.subject) + "\"");
    return false;
  }
  SayOk();
  if (options_.pedantic && (!IsPattern(unit.subject) || HasWildcard(unit.subject))) {
    SendError("Invalid Publish Subject");
  }
  return true;
}

bool Client::AllowedToPublish(std::string_view subject) {
  const auto found = may_publish_.find(subject);
  bool allowed = false;
  if (found != may_publish_.end()) {
    allowed = found->second;
  } else {
    if (may_publish_.size() >= kRemembered) may_publish_.clear();
    allowed = identity_->rules.MayPublish(subject);
    may_publish_.emplace(subject, allowed);
  }
  return allowed || (leaves_ && leaves_->Take(subject, engine().loop().now()));
}

// One of its own subscriptions hears that nobody else will answer.
void Client::SayNobody(std::string_view reply) {
  const std::string subject(reply);
  for (const Plan::Target& target : account_->plans.For(subject).targets) {
    if (target.peer != this) continue;
    Send("HMSG " + subject + " " + target.subscription->sid + " ", kNobody);
    ++traffic_.out_messages;
    return;
  }
}

bool Client::MayReceive(const Subscription& subscription, std::string_view subject) const {
  if (identity_ == nullptr || !identity_->rules.FiltersDeliveryTo(subscription.subject))
    return true;
  return !identity_->rules.DeniesDelivery(subject, subscription.queue);
}

void Client::Learn(std::string_view reply) {
  if (leaves_) leaves_->Grant(reply, engine().loop().now());
}

}  // namespace micro::natsd
