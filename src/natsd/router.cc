#include "natsd/router.h"

#include <algorithm>

#include "base/dice.h"
#include "natsd/peer.h"
#include "natsd/route.h"

namespace micro::natsd {
namespace {

// From here on a reference costs less than a copy.
constexpr std::size_t kShared = 2048;

void SendLine(Peer& peer, std::string_view head, const Publication& message) {
  Traffic& traffic = peer.traffic();
  ++traffic.out_messages;
  traffic.out_bytes += message.body.size();
  if (message.body.size() >= kShared && message.slab != nullptr && peer.shares()) {
    return peer.SendShared(head, *message.slab, message.tail);
  }
  peer.Send(head, message.tail);
}

}  // namespace

bool Router::FromClient(Peer& from, Plan& plan, const Publication& message) {
  bool delivered = false;
  for (const Plan::Target& target : plan.targets) {
    delivered |= Deliver(plan, target, &from, message);
  }
  if (!plan.groups.empty() || !plan.routes.empty()) [[unlikely]] {
    chosen_.clear();
    for (const Plan::Group& group : plan.groups) delivered |= ToGroup(plan, group, from, message);
    for (std::uint32_t i = 0; i < plan.routes.size(); ++i) ToRoute(plan, i, message);
    delivered |= std::any_of(plan.routes.begin(), plan.routes.end(),
                             [](const Plan::RouteTarget& route) { return route.always; });
  }
  if (!complete_.empty()) [[unlikely]]
    Complete();
  return delivered;
}

void Router::FromRoute(Plan& plan, const Publication& message,
                       const std::vector<std::string_view>& queues) {
  for (const Plan::Target& target : plan.targets) Deliver(plan, target, nullptr, message);
  crowded_ = nullptr;  // other servers do not wait: they would have everybody wait
  for (const std::string_view queue : queues) {
    for (const Plan::Group& group : plan.groups) {
      if (group.queue != queue || group.members.empty()) continue;
      ToMember(plan, group, nullptr, message, Dice::OfThread().Below(group.members.size()));
    }
  }
  if (!complete_.empty()) Complete();
}

bool Router::Deliver(const Plan& plan, const Plan::Target& target, const Peer* from,
                     const Publication& message) {
  Peer& peer = *target.peer;
  if (peer.closing() || (from == &peer && !peer.echo())) return false;
  Subscription& subscription = *target.subscription;
  ++subscription.delivered;
  if (!target.simple) [[unlikely]] {
    if (subscription.max != 0 && subscription.delivered > subscription.max) return false;
    if (subscription.delivered == subscription.max) complete_.push_back(&subscription);
    if (peer.learns() && !message.reply.empty()) peer.Learn(message.reply);
  }
  const std::string_view line = plan.Text(target.line);
  if (!message.headers) {
    SendLine(peer, line.substr(1), message);
  } else if (peer.headers()) {
    SendLine(peer, line, message);
  } else {
    DeliverStripped(peer, line.substr(1), message);
  }
  if (peer.crowded()) [[unlikely]]
    crowded_ = &peer;
  return true;
}

// Without its headers, for those who know none.
void Router::DeliverStripped(Peer& peer, std::string_view head, const Publication& message) {
  const std::string_view payload = message.body.substr(message.header_size);
  scratch_.assign(head);
  if (!message.reply.empty()) scratch_.append(message.reply).append(" ");
  scratch_.append(std::to_string(payload.size())).append("\r\n");
  ++peer.traffic().out_messages;
  peer.traffic().out_bytes += payload.size();
  peer.Send(scratch_, payload, "\r\n");
}

// To the member at `first`, or the next that takes it.
bool Router::ToMember(const Plan& plan, const Plan::Group& group, const Peer* from,
                      const Publication& message, std::size_t first) {
  const std::size_t count = group.members.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = first + i < count ? first + i : first + i - count;
    if (Deliver(plan, group.members[at], from, message)) return true;
  }
  return false;
}

// Every member counts the same, whichever server it is at.
bool Router::ToGroup(const Plan& plan, const Plan::Group& group, const Peer& from,
                     const Publication& message) {
  const std::size_t local = group.members.size();
  if (local + group.weight == 0) return false;
  std::size_t pick = Dice::OfThread().Below(local + group.weight);
  if (pick < local && ToMember(plan, group, &from, message, pick)) return true;
  if (group.shares.empty()) return false;
  pick = pick < local ? Dice::OfThread().Below(group.weight) : pick - local;
  for (const Plan::Share& share : group.shares) {
    if (pick < share.weight) {
      chosen_.push_back({.route = share.route, .queue = group.queue});
      return true;
    }
    pick -= share.weight;
  }
  return false;
}

void Router::ToRoute(const Plan& plan, std::uint32_t index, const Publication& message) {
  const Plan::RouteTarget& target = plan.routes[index];
  const auto of_route = [index](const Chosen& chosen) { return chosen.route == index; };
  const bool queues = std::any_of(chosen_.begin(), chosen_.end(), of_route);
  if (!target.always && !queues) return;
  Route& route = *target.route;
  if (route.closing()) return;
  const std::string_view line = plan.Text(target.line);
  const bool headers = message.headers && route.headers();
  if (!queues && headers == message.headers) {
    if (!headers) return SendLine(route, line, message);
    scratch_.assign("H").append(line.substr(1));
    return SendLine(route, scratch_, message);
  }
  scratch_.assign(headers ? "H" : "R").append(line.substr(1));
  if (queues) scratch_.append(message.reply.empty() ? "| " : "+ ");
  if (!message.reply.empty()) scratch_.append(message.reply).append(" ");
  for (const Chosen& chosen : chosen_) {
    if (of_route(chosen)) scratch_.append(chosen.queue).append(" ");
  }
  const std::string_view body = headers ? message.body : message.body.substr(message.header_size);
  if (headers) scratch_.append(std::to_string(message.header_size)).append(" ");
  scratch_.append(std::to_string(body.size())).append("\r\n");
  ++route.traffic().out_messages;
  route.traffic().out_bytes += body.size();
  route.Send(scratch_, body, "\r\n");
}

void Router::Complete() {
  for (Subscription* subscription : complete_) subscription->peer->Complete(*subscription);
  complete_.clear();
}

}  // namespace micro::natsd
