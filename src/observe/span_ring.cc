#include "observe/span_ring.h"

#include <algorithm>

namespace micro::observe {

void SpanRing::Add(const SpanRecord& span) {
  Shard& shard = shards_[internal::MetricShard()];
  const std::lock_guard lock(shard.mutex);
  if (shard.spans.size() < kKept) {
    shard.spans.push_back(span);
    return;
  }
  shard.spans[shard.next] = span;
  shard.next = (shard.next + 1) % kKept;
}

std::vector<SpanRecord> SpanRing::Read(std::string_view trace_id) const {
  std::vector<SpanRecord> spans;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    spans.insert(spans.end(), shard.spans.begin(), shard.spans.end());
  }
  std::stable_sort(spans.begin(), spans.end(), [](const SpanRecord& a, const SpanRecord& b) {
    return a.start + a.duration < b.start + b.duration;
  });
  if (spans.size() > kKept) {
    spans.erase(spans.begin(), spans.end() - static_cast<std::ptrdiff_t>(kKept));
  }
  if (trace_id.empty()) return spans;
  std::erase_if(spans, [&](const SpanRecord& span) { return span.trace.trace_id() != trace_id; });
  return spans;
}

}  // namespace micro::observe
