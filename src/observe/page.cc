#include "observe/page.h"

#include <array>
#include <charconv>
#include <cmath>

namespace micro::observe {
namespace {

void AppendEscaped(std::string& text, std::string_view raw, bool quotes) {
  for (const char c : raw) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\\' || (quotes && c == '"')) text += '\\';
    text += c;
  }
}

}  // namespace

void Page::Family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name).append(" ");
  AppendEscaped(text_, help, false);
  text_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void Page::Begin(std::string_view suffix, std::string_view labels) {
  text_.append(name_).append(suffix);
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_ += ' ';
}

void Page::Sample(std::string_view suffix, std::string_view labels, std::uint64_t value) {
  Begin(suffix, labels);
  text_.append(std::to_string(value)).append("\n");
}

void Page::Sample(std::string_view suffix, std::string_view labels, double value) {
  Begin(suffix, labels);
  text_.append(NumberText(value)).append("\n");
}

void Page::Buckets(std::string_view labels, std::span<const double> bounds,
                   std::span<const std::uint64_t> counts, double sum) {
  const std::string before = labels.empty() ? "" : std::string(labels) + ",";
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    const std::string bound = i < bounds.size() ? NumberText(bounds[i]) : "+Inf";
    Sample("_bucket", before + "le=\"" + bound + "\"", total);
  }
  Sample("_sum", labels, sum);
  Sample("_count", labels, total);
}

std::string LabelText(const Metrics::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text.append(name).append("=\"");
    AppendEscaped(text, value, true);
    text += '"';
  }
  return text;
}

std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // Without an exponent wherever a person would write none.
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e15);
  std::array<char, 64> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::general)
                       .ptr;
  return {digits.begin(), end};
}

}  // namespace micro::observe
