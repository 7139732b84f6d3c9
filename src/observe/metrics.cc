#include "micro/metrics.h"

#include <algorithm>
#include <cctype>
#include <mutex>
#include <utility>
#include <variant>

#include "observe/page.h"

namespace micro {

namespace internal {

std::size_t MetricShard() noexcept {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t shard =
      next.fetch_add(1, std::memory_order_relaxed) % kMetricShards;
  return shard;
}

}  // namespace internal

namespace {

constexpr std::size_t kLine = 64 / sizeof(std::atomic<std::uint64_t>);
constexpr std::array<double, 16> kSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                             0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                             1,      2.5,     5,      10};

std::string ValidName(std::string_view name, bool colons) {
  std::string valid;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    valid += std::isalnum(letter) != 0 || c == '_' || (colons && c == ':') ? c : '_';
  }
  if (valid.empty() || std::isdigit(static_cast<unsigned char>(valid.front())) != 0) {
    valid.insert(valid.begin(), '_');
  }
  return valid;
}

Metrics::Labels ValidLabels(const Metrics::Labels& labels) {
  Metrics::Labels valid;
  for (const auto& [name, value] : labels) valid[ValidName(name, false)] = value;
  return valid;
}

}  // namespace

std::uint64_t Counter::value() const noexcept {
  std::uint64_t sum = 0;
  for (const Cell& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
  return sum;
}

std::span<const double> Histogram::Seconds() { return kSeconds; }

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()),
      stride_((bounds.size() + kLine) / kLine * kLine),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(stride_ * internal::kMetricShards)) {}

void Histogram::Observe(double value) noexcept {
  std::size_t range = 0;
  while (range < bounds_.size() && !(value <= bounds_[range])) ++range;
  const std::size_t shard = internal::MetricShard();
  counts_[shard * stride_ + range].fetch_add(1, std::memory_order_relaxed);
  sums_[shard].value.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::counts() const {
  std::vector<std::uint64_t> counts(bounds_.size() + 1);
  for (std::size_t shard = 0; shard < internal::kMetricShards; ++shard) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      counts[i] += counts_[shard * stride_ + i].load(std::memory_order_relaxed);
    }
  }
  return counts;
}

double Histogram::sum() const noexcept {
  double sum = 0;
  for (const Sum& part : sums_) sum += part.value.load(std::memory_order_relaxed);
  return sum;
}

namespace {

using CounterPtr = std::unique_ptr<Counter>;
using GaugePtr = std::unique_ptr<Gauge>;
using HistogramPtr = std::unique_ptr<Histogram>;
using Reader = std::function<double()>;
using Series = std::variant<CounterPtr, GaugePtr, HistogramPtr, Reader>;

struct Family {
  std::string_view type;
  std::string help;
  std::map<std::string, Series> series;  // by their labels
};

struct Writer {
  void operator()(const CounterPtr& counter) const { page.Sample("", labels, counter->value()); }
  void operator()(const GaugePtr& gauge) const { page.Sample("", labels, gauge->value()); }
  void operator()(const Reader& read) const { page.Sample("", labels, read()); }
  void operator()(const HistogramPtr& histogram) const {
    page.Buckets(labels, histogram->bounds(), histogram->counts(), histogram->sum());
  }

  observe::Page& page;
  const std::string& labels;
};

}  // namespace

struct Metrics::Parts {
  // The series of a name and labels, made if it is new; one that nobody sees where the name is of
  // another type.
  template <typename Make>
  Series& Get(std::string_view type, std::string_view name, std::string_view help,
              const Labels& labels, Make make) {
    const auto family =
        families.try_emplace(ValidName(name, true), Family{type, std::string(help), {}}).first;
    if (family->second.type != type) return *unseen.emplace_back(std::make_unique<Series>(make()));
    auto& series = family->second.series;
    const std::string text = observe::LabelText(ValidLabels(labels));
    const auto found = series.find(text);
    return found != series.end() ? found->second : series.emplace(text, make()).first->second;
  }

  mutable std::mutex mutex;
  std::map<std::string, Family> families;
  std::vector<std::unique_ptr<Series>> unseen;
  std::vector<std::function<void(std::string&)>> texts;
};

Metrics::Metrics() : parts_(std::make_unique<Parts>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::GetCounter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(parts_->mutex);
  return *std::get<CounterPtr>(
      parts_->Get("counter", name, help, labels, [] { return std::make_unique<Counter>(); }));
}

// A gauge that is watched is a gauge as well: what is asked for in its place is not seen either.
Gauge& Metrics::GetGauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(parts_->mutex);
  const auto make = [] { return std::make_unique<Gauge>(); };
  Series& series = parts_->Get("gauge", name, help, labels, make);
  if (const auto* gauge = std::get_if<GaugePtr>(&series)) return **gauge;
  return *std::get<GaugePtr>(*parts_->unseen.emplace_back(std::make_unique<Series>(make())));
}

Histogram& Metrics::GetHistogram(std::string_view name, std::string_view help, const Labels& labels,
                                 std::span<const double> bounds) {
  const std::lock_guard lock(parts_->mutex);
  return *std::get<HistogramPtr>(parts_->Get(
      "histogram", name, help, labels, [bounds] { return std::make_unique<Histogram>(bounds); }));
}

void Metrics::Watch(std::string_view name, std::string_view help, const Labels& labels,
                    std::function<double()> read) {
  const std::lock_guard lock(parts_->mutex);
  parts_->Get("gauge", name, help, labels, [&read] { return std::move(read); });
}

void Metrics::AddText(std::function<void(std::string& page)> write) {
  const std::lock_guard lock(parts_->mutex);
  parts_->texts.push_back(std::move(write));
}

std::string Metrics::Text() const {
  const std::lock_guard lock(parts_->mutex);
  std::string text;
  observe::Page page(text);
  for (const auto& [name, family] : parts_->families) {
    page.Family(name, family.type, family.help);
    for (const auto& [labels, series] : family.series) std::visit(Writer{page, labels}, series);
  }
  for (const auto& write : parts_->texts) write(text);
  return text;
}

}  // namespace micro
