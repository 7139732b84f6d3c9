#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "micro/duration.h"
#include "micro/error.h"
#include "micro/metrics.h"

namespace micro::observe {

inline constexpr std::size_t kCodes = 17;
inline constexpr std::size_t kLatencies = 17;  // ranges, the one without end included

/// The sums of a CallStats.
struct CallTotals {
  std::uint64_t started = 0;
  std::uint64_t received = 0;  ///< messages
  std::uint64_t sent = 0;
  std::uint64_t nanoseconds = 0;
  std::array<std::uint64_t, kCodes> ended = {};  ///< by code
  std::array<std::uint64_t, kLatencies> latencies = {};

  std::uint64_t all_ended() const;
  std::uint64_t errors() const { return all_ended() - ended.front(); }
  std::uint64_t in_flight() const;
  CallTotals& operator+=(const CallTotals& other);
};

/// What is counted of the calls of one method, at one end. Thread-safe; a few nanoseconds each.
class CallStats {
 public:
  void Started() noexcept { Add(Here().started); }
  void Received() noexcept { Add(Here().received); }
  void Sent() noexcept { Add(Here().sent); }
  void Ended(Code code, Duration took) noexcept;

  CallTotals Read() const;

 private:
  using Number = std::atomic<std::uint64_t>;
  struct alignas(64) Cells {
    Number started{0};
    Number received{0};
    Number sent{0};
    Number nanoseconds{0};
    std::array<Number, kCodes> ended{};
    std::array<Number, kLatencies> latencies{};
  };

  Cells& Here() noexcept { return cells_[internal::MetricShard()]; }
  static void Add(Number& number, std::uint64_t count = 1) noexcept {
    number.fetch_add(count, std::memory_order_relaxed);
  }

  std::array<Cells, internal::kMetricShards> cells_;
};

/// The sums for one method, with the labels that they are shown under.
struct LabelledTotals {
  std::string labels;
  CallTotals totals;
};

/// Adds the families of one end's calls to a page's text; `side` is "server" or "client". Methods
/// that were never called are left out.
void WriteCalls(std::string& text, const std::string& side, std::span<const LabelledTotals> calls);

}  // namespace micro::observe
