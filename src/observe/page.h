#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "micro/metrics.h"

namespace micro::observe {

/// Writes Prometheus's text format: families, and samples under them.
class Page {
 public:
  explicit Page(std::string& text) : text_(text) {}

  /// Begins a family; `type` is "counter", "gauge" or "histogram".
  void Family(std::string_view name, std::string_view type, std::string_view help);
  /// `labels` as LabelText makes them; `suffix` goes behind the family's name.
  void Sample(std::string_view suffix, std::string_view labels, std::uint64_t value);
  void Sample(std::string_view suffix, std::string_view labels, double value);
  /// A histogram's samples, from the counts of each range.
  void Buckets(std::string_view labels, std::span<const double> bounds,
               std::span<const std::uint64_t> counts, double sum);

 private:
  void Begin(std::string_view suffix, std::string_view labels);

  std::string& text_;
  std::string name_;
};

/// `method="/a.B/C",code="OK"`, escaped.
std::string LabelText(const Metrics::Labels& labels);
/// The shortest text that reads as `value`.
std::string NumberText(double value);

}  // namespace micro::observe
