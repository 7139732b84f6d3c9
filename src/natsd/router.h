#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "natsd/plan.h"
#include "natsd/slab.h"

namespace micro::natsd {

class Peer;

/// A message on its way.
struct Publication {
  std::string_view reply = {};
  std::string_view body = {};  ///< headers and payload
  std::size_t header_size = 0;
  bool headers = false;  ///< whether there are any
  /// "[reply ][header size ]size CRLF body CRLF": how every line that delivers it ends.
  std::string_view tail = {};
  const SlabRef* slab = nullptr;  ///< where the tail lies, if it may stay there
};

/// Brings messages to those a plan names.
class Router {
 public:
  /// From a client: to subscriptions, to one member of each queue group, and to routes. Whether
  /// anybody got it.
  bool FromClient(Peer& from, Plan& plan, const Publication& message);
  /// From another server: to subscriptions, and to a member of each of `queues` that has one.
  void FromRoute(Plan& plan, const Publication& message,
                 const std::vector<std::string_view>& queues);
  /// One of those that got something since the last time, and have too much before them; or null.
  Peer* TakeCrowded() { return std::exchange(crowded_, nullptr); }

 private:
  // A queue group that falls to the members of another server.
  struct Chosen {
    std::uint32_t route;
    std::string_view queue;
  };

  bool Deliver(const Plan& plan, const Plan::Target& target, const Peer* from,
               const Publication& message);
  void DeliverStripped(Peer& peer, std::string_view head, const Publication& message);
  bool ToMember(const Plan& plan, const Plan::Group& group, const Peer* from,
                const Publication& message, std::size_t first);
  bool ToGroup(const Plan& plan, const Plan::Group& group, const Peer& from,
               const Publication& message);
  void ToRoute(const Plan& plan, std::uint32_t index, const Publication& message);
  void Complete();

  std::vector<Chosen> chosen_;
  std::vector<Subscription*> complete_;  // that have had their last message
  Peer* crowded_ = nullptr;
  std::string scratch_;
};

}  // namespace micro::natsd
