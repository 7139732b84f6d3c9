#pragma once

#include "micro/error.h"

#include "natsd/config/value.h"
#include "natsd/options.h"

namespace micro::natsd::config {

/// Reads `authorization { … }` into `authorization`.
Status ReadAuthorization(const Value& value, Authorization& authorization);

/// Reads `accounts { … }`: their users join those of `authorization`.
Status ReadAccounts(const Value& value, Authorization& authorization);

}  // namespace micro::natsd::config
