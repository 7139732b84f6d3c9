#include "observe/observer.h"

#include <vector>

#include "observe/page.h"
#include "observe/process.h"

namespace micro::observe {

Observer::Observer(SpanExporter exporter) : exporter_(std::move(exporter)) {
  metrics_.AddText([this](std::string& page) { WriteClient(page); });
  metrics_.AddText([this](std::string& page) { WriteProcess(page, started_); });
}

CalledMethod& Observer::Called(const std::string& service, std::string_view path) {
  const std::lock_guard lock(mutex_);
  CalledMethod& called = called_[{service, std::string(path)}];
  if (called.path.empty()) {
    called.service = service;
    called.path = path;
    called.span_name = SpanName(service, path);
  }
  return called;
}

const std::string* Observer::Keep(std::string text) {
  const std::lock_guard lock(mutex_);
  return &texts_.emplace_back(std::move(text));
}

void Observer::Export(const Ended& ended) const {
  const SpanRecord& record = ended.record;
  const Duration ago = std::chrono::steady_clock::now() - record.start;
  try {
    exporter_({.trace = record.trace,
               .kind = record.kind,
               .service = ended.service,
               .path = ended.path,
               .peer = ended.peer,
               .start = std::chrono::system_clock::now() - ago,
               .duration = record.duration,
               .code = record.code,
               .attributes = ended.attributes});
  } catch (...) {  // NOLINT(bugprone-empty-catch): a call does not fail for want of an observer
  }
}

void Observer::WriteClient(std::string& page) const {
  std::vector<LabelledTotals> calls;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, called] : called_) {
      const std::string labels = LabelText({{"service", called.service}, {"method", called.path}});
      calls.push_back({labels, called.stats.Read()});
    }
  }
  WriteCalls(page, "client", calls);
}

// "/helloworld.Greeter/Hello" is "Greeter.Hello" to go-micro.
std::string SpanName(const std::string& service, std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return service + "." + std::string(path);
  const std::string_view handler = path.substr(0, slash);
  return service + "." + std::string(handler.substr(handler.find_last_of("./") + 1)) + "." +
         std::string(path.substr(slash + 1));
}

}  // namespace micro::observe
