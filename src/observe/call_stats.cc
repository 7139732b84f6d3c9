#include "observe/call_stats.h"

#include <algorithm>
#include <numeric>

#include "observe/page.h"

namespace micro::observe {
namespace {

// Histogram::Seconds in nanoseconds.
constexpr std::array<std::uint64_t, kLatencies - 1> kBounds = {
    100'000,       250'000,       500'000,       1'000'000,     2'500'000,   5'000'000,
    10'000'000,    25'000'000,    50'000'000,    100'000'000,   250'000'000, 500'000'000,
    1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};

std::string With(const std::string& labels, std::string_view code) {
  return labels + ",code=\"" + std::string(code) + "\"";
}

}  // namespace

std::uint64_t CallTotals::all_ended() const {
  return std::accumulate(ended.begin(), ended.end(), std::uint64_t{0});
}

// What ends while the numbers are read may not have been seen to start.
std::uint64_t CallTotals::in_flight() const { return started - std::min(started, all_ended()); }

CallTotals& CallTotals::operator+=(const CallTotals& other) {
  started += other.started;
  received += other.received;
  sent += other.sent;
  nanoseconds += other.nanoseconds;
  for (std::size_t i = 0; i < ended.size(); ++i) ended[i] += other.ended[i];
  for (std::size_t i = 0; i < latencies.size(); ++i) latencies[i] += other.latencies[i];
  return *this;
}

void CallStats::Ended(Code code, Duration took) noexcept {
  const auto nanoseconds = static_cast<std::uint64_t>(std::max<Duration::rep>(took.count(), 0));
  std::size_t range = 0;
  while (range < kBounds.size() && nanoseconds > kBounds[range]) ++range;
  Cells& here = Here();
  Add(here.ended[std::min(static_cast<std::size_t>(code), kCodes - 1)]);
  Add(here.latencies[range]);
  Add(here.nanoseconds, nanoseconds);
}

CallTotals CallStats::Read() const {
  CallTotals totals;
  const auto add = [](std::uint64_t& to, const Number& from) {
    to += from.load(std::memory_order_relaxed);
  };
  for (const Cells& cells : cells_) {
    for (std::size_t i = 0; i < kCodes; ++i) add(totals.ended[i], cells.ended[i]);
    for (std::size_t i = 0; i < kLatencies; ++i) add(totals.latencies[i], cells.latencies[i]);
    add(totals.nanoseconds, cells.nanoseconds);
    add(totals.received, cells.received);
    add(totals.sent, cells.sent);
    add(totals.started, cells.started);
  }
  return totals;
}

void WriteCalls(std::string& text, const std::string& side, std::span<const LabelledTotals> calls) {
  if (calls.empty()) return;
  Page page(text);
  const std::string prefix = "micro_" + side + "_";
  page.Family(prefix + "started_total", "counter", "Calls begun");
  for (const auto& [labels, totals] : calls) page.Sample("", labels, totals.started);
  page.Family(prefix + "handled_total", "counter", "Calls ended, by status code");
  for (const auto& [labels, totals] : calls) {
    for (std::size_t i = 0; i < kCodes; ++i) {
      if (totals.ended[i] == 0) continue;
      page.Sample("", With(labels, ToString(static_cast<Code>(i))), totals.ended[i]);
    }
  }
  page.Family(prefix + "in_flight", "gauge", "Calls under way");
  for (const auto& [labels, totals] : calls) page.Sample("", labels, totals.in_flight());
  page.Family(prefix + "messages_received_total", "counter", "Messages read");
  for (const auto& [labels, totals] : calls) page.Sample("", labels, totals.received);
  page.Family(prefix + "messages_sent_total", "counter", "Messages written");
  for (const auto& [labels, totals] : calls) page.Sample("", labels, totals.sent);
  page.Family(prefix + "latency_seconds", "histogram", "Time from a call's begin to its end");
  for (const auto& [labels, totals] : calls) {
    page.Buckets(labels, Histogram::Seconds(), totals.latencies,
                 static_cast<double>(totals.nanoseconds) / 1e9);
  }
}

}  // namespace micro::observe
