#pragma once

#include <cstddef>
#include <utility>

#include "micro/transport.h"

// What both ends of a gRPC call wait by and count with.
namespace micro::grpc {

/// Unsent bytes beyond which a writer should wait.
inline constexpr std::size_t kHighWater = 64U << 10U;
/// What a header costs beside its text, by HTTP/2's account (RFC 9113 section 10.5.1).
inline constexpr std::size_t kHeaderCost = 32;

/// Wakes who waits there, if anybody does, once.
inline void Wake(transport::Waiter*& waiter) {
  if (auto* woken = std::exchange(waiter, nullptr)) woken->Wake();
}

}  // namespace micro::grpc
