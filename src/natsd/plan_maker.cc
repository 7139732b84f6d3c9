#include "natsd/plan_maker.h"

#include <unordered_map>

#include "natsd/peer.h"
#include "natsd/route.h"

namespace micro::natsd {
namespace {

class Maker {
 public:
  Maker(Plan& plan, std::string_view account) : plan_(plan), account_(account) {}

  void Add(Subscription& subscription) {
    if (!subscription.peer->MayReceive(subscription, plan_.subject)) return;
    const bool route = subscription.peer->kind() == Peer::Kind::kRoute;
    if (subscription.queue.empty()) {
      if (route) {
        plan_.routes[IndexOf(static_cast<Route&>(*subscription.peer))].always = true;
      } else {
        plan_.targets.push_back(TargetOf(subscription));
      }
      return;
    }
    // Ahead of the group: an index, which a group must not be found by before it is there.
    const std::uint32_t index = route ? IndexOf(static_cast<Route&>(*subscription.peer)) : 0;
    Plan::Group& group = GroupOf(subscription.queue);
    if (!route) return group.members.push_back(TargetOf(subscription));
    group.shares.push_back({.route = index, .weight = subscription.weight});
    group.weight += subscription.weight;
  }

 private:
  Plan::Target TargetOf(Subscription& subscription) {
    const auto at = static_cast<std::uint32_t>(plan_.rendered.size());
    plan_.rendered.append("HMSG ").append(plan_.subject).append(" ");
    plan_.rendered.append(subscription.sid).append(" ");
    const auto size = static_cast<std::uint32_t>(plan_.rendered.size()) - at;
    return {.peer = subscription.peer,
            .subscription = &subscription,
            .line = {.at = at, .size = size},
            .simple = subscription.max == 0 && !subscription.peer->learns()};
  }

  std::uint32_t IndexOf(Route& route) {
    for (std::uint32_t i = 0; i < plan_.routes.size(); ++i) {
      if (plan_.routes[i].route == &route) return i;
    }
    const auto at = static_cast<std::uint32_t>(plan_.rendered.size());
    plan_.rendered.append("RMSG ").append(account_).append(" ").append(plan_.subject).append(" ");
    const auto size = static_cast<std::uint32_t>(plan_.rendered.size()) - at;
    plan_.routes.push_back({.route = &route, .line = {.at = at, .size = size}, .always = false});
    return static_cast<std::uint32_t>(plan_.routes.size() - 1);
  }

  Plan::Group& GroupOf(std::string_view queue) {
    const auto [found, fresh] = groups_.try_emplace(queue, plan_.groups.size());
    if (fresh) plan_.groups.push_back({.queue = queue});
    return plan_.groups[found->second];
  }

  Plan& plan_;
  std::string_view account_;
  std::unordered_map<std::string_view, std::size_t, StringHash> groups_;
};

}  // namespace

void MakePlan(Plan& plan, std::string_view account, const std::vector<Subscription*>& found) {
  Maker maker(plan, account);
  for (Subscription* subscription : found) maker.Add(*subscription);
}

}  // namespace micro::natsd
