#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "micro/metrics.h"
#include "micro/trace.h"

#include "observe/call_stats.h"
#include "observe/log_ring.h"
#include "observe/span_ring.h"

namespace micro::observe {

/// What one end of a call knows of it when it ends.
struct Ended {
  SpanRecord record;
  std::string_view service;
  std::string_view path;
  std::string_view peer;
  const Metadata* attributes = nullptr;
};

/// A method that is called: what is counted of it, and the name of its spans.
struct CalledMethod {
  std::string service;
  std::string path;
  std::string span_name;  ///< "helloworld.Greeter.Hello", the service and go-micro's endpoint
  CallStats stats;
};

/// All that is observed of one service, of its calls both ways. Thread-safe, and shared by whoever
/// may still have something to tell.
class Observer {
 public:
  explicit Observer(SpanExporter exporter = {});

  Metrics& metrics() { return metrics_; }
  const SpanRing& spans() const { return spans_; }
  const std::shared_ptr<LogRing>& log() const { return log_; }
  std::chrono::system_clock::time_point started() const { return started_; }

  /// The entry for calls that are made; it lives as long as this.
  CalledMethod& Called(const std::string& service, std::string_view path);
  /// A text that lives as long as this.
  const std::string* Keep(std::string text);

  /// Whether somebody takes the spans away.
  bool exports() const { return exporter_ != nullptr; }
  /// Keeps a span, and hands it to whoever exports.
  void Add(const Ended& ended) {
    spans_.Add(ended.record);
    if (exporter_ && ended.record.trace.sampled) Export(ended);
  }

 private:
  void Export(const Ended& ended) const;
  void WriteClient(std::string& page) const;

  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  const SpanExporter exporter_;
  Metrics metrics_;
  SpanRing spans_;
  std::shared_ptr<LogRing> log_ = std::make_shared<LogRing>();
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, CalledMethod> called_;
  std::deque<std::string> texts_;
};

/// The name of a method's spans, as go-micro has it: "helloworld.Greeter.Hello".
std::string SpanName(const std::string& service, std::string_view path);

}  // namespace micro::observe
