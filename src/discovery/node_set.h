#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "micro/duration.h"
#include "micro/node_filter.h"
#include "micro/registry.h"
#include "micro/selector.h"

namespace micro::discovery {

/// The nodes of one service, from all that a registry says of it and does not say. Versions are
/// merged: a node's id is there once.
///
/// Nothing that a registry leaves out empties it. A node that is missing from two answers in a row,
/// or that a watch has seen go, is withdrawn: it is used only if there is no other, for kKept.
/// Answers without any node change nothing for kDoubted; then they are believed. Whoever is not
/// vouched for goes at once when it cannot be reached.
///
/// Not thread-safe; the time is told.
class NodeSet {
 public:
  static constexpr Duration kKept = std::chrono::seconds(60);
  static constexpr Duration kDoubted = std::chrono::minutes(10);

  struct Known {
    NodePtr node;
    std::shared_ptr<const ServiceInfo> service;  ///< without its nodes
    TimePoint seen;                              ///< when the registry named it last
    int missed = 0;                              ///< answers in a row that did not
    bool withdrawn = false;
    std::uint64_t place = 0;  ///< in the order in which they came
  };

  /// An answer that names nodes.
  void Found(std::span<const ServiceInfo> services, TimePoint now);
  /// An answer that names none.
  void FoundNothing(TimePoint now);
  void Changed(const Change& change, TimePoint now);
  /// True when the node was let go, as nobody vouches for it any more.
  bool Unreachable(const std::string& id);

  /// Those to use, in the order in which they came: without the withdrawn, as long as there are
  /// others.
  std::vector<const Known*> Usable(TimePoint now) const;
  /// All that are known, in the order of their ids.
  const std::map<std::string, Known, std::less<>>& all() const { return known_; }
  /// Whether the registry vouches for any.
  bool vouched() const;
  std::size_t size() const { return known_.size(); }
  bool Has(const std::string& id) const { return known_.contains(id); }

 private:
  void See(const ServiceInfo& service, TimePoint now);

  std::map<std::string, Known, std::less<>> known_;  // by id
  std::uint64_t came_ = 0;
  std::optional<TimePoint> doubted_;  // since when answers name no node
};

/// Whether calls with `filter` may go to a node.
bool Passes(const NodeSet::Known& known, const NodeFilter& filter);

}  // namespace micro::discovery
