#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "micro/error.h"

#include "natsd/options.h"

namespace micro::natsd {

/// What one user may publish and subscribe to: the Permissions of its options, checked and taken
/// apart. A default one allows everything.
///
/// Immutable, and so used by any number of connections and threads. Answers take time in proportion
/// to the number of rules: whoever asks for each message should remember them for each subject.
class AccessRules {
 public:
  AccessRules() = default;

  /// INVALID_ARGUMENT with Phase::kConfigure for a rule that is no subject, or no subject and
  /// queue.
  static Result<AccessRules> Make(const Permissions& permissions);

  /// Whether a message may be published to `subject`. The leave that a received request gives is
  /// beside it: see responses().
  bool MayPublish(std::string_view subject) const;

  /// Whether one may subscribe to `subject`, in queue group `queue` (empty: in none). A pattern is
  /// allowed only if all of it is; one that merely overlaps something denied is allowed too, and
  /// what is denied is then to be kept from it by DeniesDelivery.
  bool MaySubscribe(std::string_view subject, std::string_view queue) const;

  /// Whether messages to a subscription to `subject` are to be asked for with DeniesDelivery.
  bool FiltersDeliveryTo(std::string_view subject) const;

  /// Whether a message of literal `subject` must not be delivered to a member of `queue`.
  bool DeniesDelivery(std::string_view subject, std::string_view queue) const;

  /// Whether there is a subject that MayPublish refuses, perhaps.
  bool restricts_publishing() const {
    return !allow_publish_.empty() || !deny_publish_.empty() || responses_.has_value();
  }

  /// Whether a received request is leave to publish to its reply subject, and how far.
  const std::optional<ResponseRule>& responses() const { return responses_; }

 private:
  struct Rule {
    std::string subject;
    std::string queue;  // a pattern too; empty: whatever the group
  };
  using Rules = std::vector<Rule>;

  static Result<Rules> Read(const std::vector<std::string>& entries);
  static bool Allows(const Rules& rules, std::string_view subject, std::string_view queue);
  static bool Denies(const Rules& rules, std::string_view subject, std::string_view queue);

  Rules allow_publish_;
  Rules deny_publish_;
  Rules allow_subscribe_;
  Rules deny_subscribe_;
  std::optional<ResponseRule> responses_;
};

/// The reply subjects that one connection has leave to publish to, because it received requests
/// with them. Used from one thread.
class ResponseLeaves {
 public:
  /// How many are remembered; beyond it the oldest is forgotten.
  static constexpr std::size_t kMost = 4096;

  explicit ResponseLeaves(ResponseRule rule) : rule_(rule) {}

  /// A request that wants its answer at `reply` was delivered.
  void Grant(std::string_view reply, TimePoint now);

  /// Whether `subject` may be published to now; uses up one of the leaves.
  bool Take(std::string_view subject, TimePoint now);

  std::size_t size() const { return leaves_.size(); }

 private:
  struct Leave {
    TimePoint granted;
    int used = 0;
  };
  struct Grants {
    std::string reply;
    TimePoint granted;
  };

  bool IsOver(TimePoint granted, TimePoint now) const;
  void Forget(TimePoint now);

  ResponseRule rule_;
  std::unordered_map<std::string, Leave> leaves_;
  std::deque<Grants> in_order_;  // may name leaves that are used up
};

}  // namespace micro::natsd
