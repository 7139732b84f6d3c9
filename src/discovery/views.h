#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "micro/node_filter.h"
#include "micro/selector.h"

#include "discovery/ejections.h"
#include "discovery/node_set.h"

namespace micro::discovery {

/// The nodes of a service as calls see them: a selector for those that name no filter, and one for
/// each filter that calls came with lately.
///
/// Nodes that rest are left out as long as others are there. Where a zone is set, nodes of that
/// zone are all there is, as long as at least half of them do not rest; calls that have tried them
/// all ask for the nodes of any zone. Not thread-safe, but for the selectors and where said.
class Views {
 public:
  /// Filters that are kept; beyond them the one that was used longest ago goes.
  static constexpr std::size_t kMostFilters = 64;

  using MakeSelector = std::function<std::unique_ptr<Selector>()>;

  Views(MakeSelector make_selector, std::string zone)
      : make_selector_(std::move(make_selector)), zone_(std::move(zone)), main_(make_selector_()) {}

  /// For calls without a filter; from any thread.
  Selector& main() { return *main_; }
  /// Whether there may be nodes of other zones that main() leaves out; from any thread.
  bool zoned() const { return !zone_.empty(); }
  /// For calls with a filter, or that go to any zone.
  std::shared_ptr<Selector> Get(const NodeFilter& filter, bool any_zone);

  /// Calls under way at a node, where selectors count them.
  std::optional<std::uint64_t> InFlight(const std::string& id) const;

  /// The nodes from now on.
  void Update(const std::vector<const NodeSet::Known*>& nodes, const Ejections& ejections,
              TimePoint now);

 private:
  struct Seen {
    NodeSet::Known known;
    bool rests;
  };
  struct View {
    std::shared_ptr<Selector> selector;
    std::uint64_t used;
  };
  using Key = std::pair<NodeFilter, bool>;  // and whether of any zone

  std::vector<NodePtr> Choose(const Key& key) const;
  void DropOldest();

  const MakeSelector make_selector_;
  const std::string zone_;
  const std::unique_ptr<Selector> main_;
  std::map<Key, View> views_;
  std::uint64_t uses_ = 0;
  std::vector<Seen> nodes_;
};

}  // namespace micro::discovery
