#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "micro/duration.h"
#include "micro/error.h"
#include "micro/metadata.h"

namespace micro {

/// Where a call stands in a trace, in W3C's terms: a trace is made of spans, and each call is a
/// span at both of its ends. A plain value; without ids where nothing is known.
struct TraceContext {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0;
  std::uint64_t parent = 0;  ///< the span that this one is part of; 0: it begins the trace
  bool sampled = false;      ///< whether those who collect spans want this one

  explicit operator bool() const { return (trace_high | trace_low) != 0 && span != 0; }
  /// 32 and 16 hex digits, as `traceparent` and collectors spell them.
  std::string trace_id() const;
  std::string span_id() const;
  /// Empty where the trace begins.
  std::string parent_id() const;

  bool operator==(const TraceContext&) const = default;
};

/// The ends of a call, and those of a message.
enum class SpanKind : std::uint8_t { kServer, kClient, kConsumer, kProducer };

/// A call that has ended, or a message that was published or handled, as one of its ends saw it.
struct Span {
  TraceContext trace;
  SpanKind kind = SpanKind::kServer;
  std::string_view service;  ///< who was called, by its name in discovery; or who has the message
  std::string_view path;     ///< "/helloworld.Greeter/Hello", or a message's topic
  std::string_view peer;     ///< the address at the other end; empty when there was none
  std::chrono::system_clock::time_point start = {};
  Duration duration = {};
  Code code = Code::kOk;
  const Metadata* attributes = nullptr;  ///< what Context::attributes() gathered; never null
};

/// Takes finished spans away, to a collector or a file. Called on event loops, of several at a
/// time: it must not block, and copies what it keeps. Spans that are not sampled, and those of the
/// standard services, do not come.
using SpanExporter = std::function<void(const Span&)>;

}  // namespace micro
