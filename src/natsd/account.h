#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "natsd/plan.h"
#include "natsd/sublist.h"

namespace micro::natsd {

/// A room of subjects: what is published in one account reaches only those in it.
struct Account {
  explicit Account(std::string account) : name(std::move(account)), plans(name, sublist) {}

  const std::string name;
  Sublist sublist;
  Plans plans;
  /// How many subscriptions clients of ours have, by subject and by "subject queue": what routes
  /// are told of.
  std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>> interest;
};

}  // namespace micro::natsd
