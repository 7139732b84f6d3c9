#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "micro/error.h"

namespace micro {

/// Why something is not even begun: there is too much under way. It may be tried again soon.
inline Error Overloaded(std::string detail) {
  constexpr std::chrono::milliseconds kComeBack{100};
  Error error(Code::kResourceExhausted, std::move(detail));
  error.set_retry_after(kComeBack);
  return error;
}

}  // namespace micro
