#include "natsd/permissions.h"

#include <algorithm>
#include <utility>

#include "base/misconfigured.h"
#include "natsd/subject_pattern.h"

namespace micro::natsd {
namespace {

constexpr std::string_view kSpace = " \t";

// Queue names in rules are patterns as subjects are: "*.dev".
bool QueueMatches(const std::string& rule, std::string_view queue) {
  return rule == queue || Covers(rule, queue);
}

}  // namespace

Result<AccessRules::Rules> AccessRules::Read(const std::vector<std::string>& entries) {
  Rules rules;
  for (const std::string& entry : entries) {
    const auto gap = entry.find_first_of(kSpace);
    const auto queue = entry.find_first_not_of(kSpace, gap);
    Rule rule{.subject = entry.substr(0, gap),
              .queue = queue == std::string::npos ? std::string() : entry.substr(queue)};
    if (!IsPattern(rule.subject) || (!rule.queue.empty() && !IsPattern(rule.queue))) {
      return Misconfigured("\"" + entry +
                           "\" cannot be a permission: write a subject, or a subject and a queue "
                           "with a space between them");
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

Result<AccessRules> AccessRules::Make(const Permissions& permissions) {
  AccessRules rules;
  const std::vector<std::pair<Rules*, const std::vector<std::string>*>> lists = {
      {&rules.allow_publish_, &permissions.publish.allow},
      {&rules.deny_publish_, &permissions.publish.deny},
      {&rules.allow_subscribe_, &permissions.subscribe.allow},
      {&rules.deny_subscribe_, &permissions.subscribe.deny}};
  for (const auto& [list, entries] : lists) {
    auto read = Read(*entries);
    if (!read) return Failure(std::move(read.error()));
    *list = *std::move(read);
  }
  rules.responses_ = permissions.responses;
  return rules;
}

// Once a rule names the group of a queue, only such rules count for its members.
bool AccessRules::Allows(const Rules& rules, std::string_view subject, std::string_view queue) {
  bool plain = false;
  bool groups_named = false;
  bool group = false;
  for (const Rule& rule : rules) {
    if (!Covers(rule.subject, subject)) continue;
    if (rule.queue.empty()) {
      plain = true;
    } else if (!queue.empty()) {
      groups_named = true;
      group = group || QueueMatches(rule.queue, queue);
    }
  }
  return groups_named ? group : plain;
}

bool AccessRules::Denies(const Rules& rules, std::string_view subject, std::string_view queue) {
  return std::ranges::any_of(rules, [&](const Rule& rule) {
    if (!rule.queue.empty() && (queue.empty() || !QueueMatches(rule.queue, queue))) return false;
    return Covers(rule.subject, subject);
  });
}

bool AccessRules::MayPublish(std::string_view subject) const {
  // Who may answer requests may do nothing else, unless it is said.
  const bool all = allow_publish_.empty() && !responses_;
  if (!all && !Allows(allow_publish_, subject, {})) return false;
  return !Denies(deny_publish_, subject, {});
}

bool AccessRules::MaySubscribe(std::string_view subject, std::string_view queue) const {
  if (!allow_subscribe_.empty() && !Allows(allow_subscribe_, subject, queue)) return false;
  return !Denies(deny_subscribe_, subject, queue);
}

bool AccessRules::FiltersDeliveryTo(std::string_view subject) const {
  return HasWildcard(subject) && std::ranges::any_of(deny_subscribe_, [&](const Rule& rule) {
           return Overlap(rule.subject, subject);
         });
}

bool AccessRules::DeniesDelivery(std::string_view subject, std::string_view queue) const {
  return Denies(deny_subscribe_, subject, queue);
}

bool ResponseLeaves::IsOver(TimePoint granted, TimePoint now) const {
  return rule_.expires > Duration::zero() && now - granted >= rule_.expires;
}

void ResponseLeaves::Forget(TimePoint now) {
  while (!in_order_.empty() &&
         (in_order_.size() >= kMost || IsOver(in_order_.front().granted, now))) {
    const auto leave = leaves_.find(in_order_.front().reply);
    // A later request may have granted it anew.
    if (leave != leaves_.end() && leave->second.granted == in_order_.front().granted) {
      leaves_.erase(leave);
    }
    in_order_.pop_front();
  }
}

void ResponseLeaves::Grant(std::string_view reply, TimePoint now) {
  Forget(now);
  leaves_[std::string(reply)] = {.granted = now};
  in_order_.push_back({.reply = std::string(reply), .granted = now});
}

bool ResponseLeaves::Take(std::string_view subject, TimePoint now) {
  const auto leave = leaves_.find(std::string(subject));
  if (leave == leaves_.end()) return false;
  const bool good = !IsOver(leave->second.granted, now);
  ++leave->second.used;
  if (!good || (rule_.max > 0 && leave->second.used >= rule_.max)) leaves_.erase(leave);
  return good;
}

}  // namespace micro::natsd
