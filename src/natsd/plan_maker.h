#pragma once

#include <string_view>
#include <vector>

#include "natsd/plan.h"

namespace micro::natsd {

/// Fills `plan`, which is clear but for its subject, from the subscriptions `found` that it
/// reaches.
void MakePlan(Plan& plan, std::string_view account, const std::vector<Subscription*>& found);

}  // namespace micro::natsd
