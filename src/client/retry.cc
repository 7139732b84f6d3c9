#include "micro/client.h"

namespace micro {

// What comes without go-micro's fields has nobody's id, and a code that is ours.
bool RetryLikeGoMicro(const Error& error, int /*attempts*/) {
  constexpr int kTimeout = 408;
  constexpr int kInternal = 500;
  const int code = error.id().empty() ? kInternal : error.http_code();
  return code == kTimeout || code == kInternal;
}

}  // namespace micro
