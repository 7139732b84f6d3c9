#include "registry/bad_records.h"

#include <algorithm>

namespace micro {
namespace {

constexpr std::size_t kLongest = 400;

// Strangers wrote it: no control characters, and no end of it, in what we log.
std::string OneLine(std::string_view text) {
  std::string line(text.substr(0, kLongest));
  std::ranges::replace_if(line, [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return text.size() > kLongest ? line + "..." : line;
}

}  // namespace

BadRecords::BadRecords(std::string_view registry, std::shared_ptr<Logger> logger, Metrics* metrics)
    : registry_(registry), logger_(std::move(logger)) {
  if (metrics == nullptr) return;
  count_ = &metrics->GetCounter("micro_registry_bad_records_total",
                                "Records in the registry that could not be used",
                                {{"registry", registry_}});
}

void BadRecords::NoteAt(std::string_view what, TimePoint now) {
  if (count_ != nullptr) count_->Add();
  if (logger_ == nullptr || !logger_->Enabled(LogLevel::kWarn)) return;
  std::uint64_t unsaid = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (now < quiet_until_) {
      ++unsaid_;
      return;
    }
    quiet_until_ = now + kPause;
    unsaid = std::exchange(unsaid_, 0);
  }
  std::string line = "registry " + registry_ + " passes over a bad record: " + OneLine(what);
  if (unsaid > 0) line += " (" + std::to_string(unsaid) + " more since the last such line)";
  logger_->Write(LogLevel::kWarn, line);
}

}  // namespace micro
