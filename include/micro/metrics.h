#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace micro {

namespace internal {

// Numbers that many threads add to are kept in as many places, a cache line each.
inline constexpr std::size_t kMetricShards = 16;

/// The place of this thread.
std::size_t MetricShard() noexcept;

}  // namespace internal

/// A number that only grows. Adding costs a few nanoseconds and never waits for another thread.
class Counter {
 public:
  void Add(std::uint64_t count = 1) noexcept {
    cells_[internal::MetricShard()].value.fetch_add(count, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept;

 private:
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Cell, internal::kMetricShards> cells_;
};

/// A number that goes up and down.
class Gauge {
 public:
  void Set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void Add(double change) noexcept { value_.fetch_add(change, std::memory_order_relaxed); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// How often values fell into which range, such as the times that something took.
class Histogram {
 public:
  /// From a tenth of a millisecond to ten seconds.
  static std::span<const double> Seconds();

  /// `bounds` are the upper ends of the ranges, rising; beyond the last there is one more.
  explicit Histogram(std::span<const double> bounds);

  void Observe(double value) noexcept;

  std::span<const double> bounds() const { return bounds_; }
  /// How many values were within each bound and above the one before; the last: above them all.
  std::vector<std::uint64_t> counts() const;
  double sum() const noexcept;

 private:
  struct alignas(64) Sum {
    std::atomic<double> value{0};
  };

  std::vector<double> bounds_;
  std::size_t stride_;  // of one shard's counts, in whole cache lines
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::array<Sum, internal::kMetricShards> sums_;
};

/// The numbers of a program, as `GET /metrics` shows them to Prometheus. Thread-safe.
///
///     micro::Counter& orders = service.metrics().GetCounter("orders_total", "Orders taken",
///                                                           {{"kind", "express"}});
///     orders.Add();
///
/// What is got is got once and kept: the same name and labels give the same object, which lives as
/// long as this does. A name belongs to one kind: what is asked for by a name of another kind
/// counts, and is not shown. Characters that Prometheus does not take become '_'.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  Counter& GetCounter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& GetGauge(std::string_view name, std::string_view help, const Labels& labels = {});
  /// `bounds` count where the name is new.
  Histogram& GetHistogram(std::string_view name, std::string_view help, const Labels& labels = {},
                          std::span<const double> bounds = Histogram::Seconds());

  /// A gauge that is read, from any thread, whenever the page is made; `read` may not use this
  /// object, and neither may `write` below.
  void Watch(std::string_view name, std::string_view help, const Labels& labels,
             std::function<double()> read);
  /// Has `write` add whole families of its own to the page, in Prometheus's text format.
  void AddText(std::function<void(std::string& page)> write);

  /// The page, in Prometheus's text format 0.0.4.
  std::string Text() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace micro
