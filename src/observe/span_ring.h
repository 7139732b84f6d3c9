#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "micro/metrics.h"
#include "micro/trace.h"

namespace micro::observe {

/// A finished span, as it is kept.
struct SpanRecord {
  TraceContext trace;
  const std::string* name = nullptr;  ///< lives as long as the ring
  TimePoint start;
  Duration duration{};
  Code code = Code::kOk;
  SpanKind kind = SpanKind::kServer;
};

/// The latest spans. Thread-safe; threads that add do not wait for each other.
class SpanRing {
 public:
  static constexpr std::size_t kKept = 256;

  void Add(const SpanRecord& span);

  /// Those kept, in the order they ended; of one trace only, where `trace_id` is not empty.
  std::vector<SpanRecord> Read(std::string_view trace_id) const;

 private:
  // Each may have to give all that are kept.
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::vector<SpanRecord> spans;
    std::size_t next = 0;
  };

  std::array<Shard, internal::kMetricShards> shards_;
};

}  // namespace micro::observe
