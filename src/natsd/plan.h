#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "natsd/sublist.h"

namespace micro::natsd {

class Peer;
class Route;

/// Where what is published to one subject of one account goes, with the beginnings of the lines
/// that are sent already written out. Good while its mark is fresh: everyone it names is there
/// then.
struct Plan {
  // A part of `rendered`: "HMSG subject sid ", of which all but the H is a MSG's; or for a route
  // "HMSG account subject ", whose first byte is an R where there are no headers.
  struct Line {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };
  struct Target {
    Peer* peer;
    Subscription* subscription;
    Line line;
    bool simple;  // nothing but echo can stand in the way of a delivery
  };
  struct Share {
    std::uint32_t route;  // index in `routes`
    std::uint32_t weight;
  };
  struct Group {
    std::string_view queue;
    std::vector<Target> members = {};
    std::vector<Share> shares = {};
    std::uint32_t weight = 0;  // of all shares
  };
  struct RouteTarget {
    Route* route;
    Line line;
    bool always;  // not only for a queue group that falls to it
  };

  std::string subject;
  std::uint64_t hash = 0;
  SublistMark mark;
  std::string rendered;
  std::vector<Target> targets;
  std::vector<Group> groups;
  std::vector<RouteTarget> routes;

  std::string_view Text(Line line) const { return {rendered.data() + line.at, line.size}; }
  std::size_t bytes() const;
  void Clear();
};

/// The plans of one account, made when they are wanted. What is published to once, as the inboxes
/// of requests are, pushes nothing out: only the second time a subject is seen its plan is kept.
class Plans {
 public:
  /// Of all plans that are kept.
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20U;

  Plans(std::string account, Sublist& sublist);

  /// Good until the next call, or a change of the sublist.
  Plan& For(std::string_view subject);

  /// Changes whenever a plan that For gave may be gone.
  std::uint64_t epoch() const { return sublist_.epoch() + evictions_; }
  /// Whether the plan may be used again while epoch() stays.
  bool IsKept(const Plan& plan) const { return &plan != &scratch_; }

  std::size_t size() const { return size_; }
  std::uint64_t lookups() const { return lookups_; }
  std::uint64_t hits() const { return hits_; }

 private:
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kFewestSets = 256;
  static constexpr std::size_t kMostSets = 65536;

  using Slot = std::unique_ptr<Plan>;

  Slot* SetOf(std::uint64_t hash) { return &slots_[(hash & (sets_ - 1)) * kWays]; }
  bool SeenBefore(std::uint64_t hash);
  Plan& Keep(Slot* set, std::string_view subject, std::uint64_t hash);
  Slot& PlaceIn(Slot* set);
  void Grow();
  void DropAll();
  void Make(Plan& plan, std::string_view subject, std::uint64_t hash);

  const std::string account_;
  Sublist& sublist_;
  std::size_t sets_ = kFewestSets;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> seen_;
  Plan scratch_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t evictions_ = 0;
  std::uint64_t pushed_out_ = 0;  // since the table grew
  std::uint64_t lookups_ = 0;
  std::uint64_t hits_ = 0;
};

}  // namespace micro::natsd
