#pragma once

#include <string>
#include <utility>

#include "micro/error.h"

namespace micro {

/// The error of an option that cannot be what it is said to be, in one sentence for a person.
inline Failure Misconfigured(std::string sentence) {
  return Fails(Error(Code::kInvalidArgument, std::move(sentence)).set_phase(Phase::kConfigure));
}

}  // namespace micro
