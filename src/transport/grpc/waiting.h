#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "micro/transport.h"

// What both ends of a gRPC call wait by and count with.
namespace micro::grpc {

/// Unsent bytes beyond which a writer should wait.
inline constexpr std::size_t kHighWater = 64U << 10U;
/// What a header costs beside its text, by HTTP/2's account (RFC 9113 section 10.5.1).
inline constexpr std::size_t kHeaderCost = 32;

/// How many times over the limit a header list is not even looked at any more: checking what a few
/// bytes of HPACK unfold to takes time.
inline constexpr std::size_t kHeaderBomb = 4;

/// Why a message of `size` bytes is not sent; success where it may be.
inline Status CheckSendable(std::size_t size, const transport::Limits& limits) {
  if (size <= limits.max_send) return Ok();
  return ResourceExhausted("a message of " + std::to_string(size) + " bytes is over the limit of " +
                           std::to_string(limits.max_send) +
                           " for those that are sent (--max_send_message_size)");
}

/// Wakes who waits there, if anybody does, once.
inline void Wake(transport::Waiter*& waiter) {
  if (auto* woken = std::exchange(waiter, nullptr)) woken->Wake();
}

}  // namespace micro::grpc
