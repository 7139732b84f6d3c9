#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "micro/error.h"
#include "micro/metadata.h"
#include "micro/trace.h"

namespace micro::observe {

/// Random and not zero, from a generator of this thread's.
std::uint64_t RandomId() noexcept;

/// A trace of its own.
TraceContext NewTrace() noexcept;
/// A span within `parent`, or else a trace of its own.
TraceContext ChildOf(const TraceContext& parent) noexcept;

/// Reads "00-<trace>-<span>-<flags>": the span is the sender's. Nothing where it is malformed.
std::optional<TraceContext> ParseTraceparent(std::string_view text);

/// What a request continues: `traceparent`, or else go-micro's micro-trace-id (or micro-id) and
/// micro-span-id where both are there; or else a new trace. The span is this end's own.
TraceContext Continue(const Metadata& metadata);

/// Which keys carry a trace to the next one.
struct TraceHeaders {
  bool w3c = true;    ///< traceparent and tracestate
  bool micro = true;  ///< micro-trace-id and micro-span-id
};
/// Reads "w3c", "micro", "both" or "none"; INVALID_ARGUMENT otherwise.
Result<TraceHeaders> ParseTraceHeaders(std::string_view text);

/// Adds what tells the next one where it stands, and what of `inbound`, the metadata of the request
/// that is being served if there is one, goes with that. Keys that are there already stay as they
/// are.
void Inject(const TraceContext& trace, const Metadata* inbound, TraceHeaders headers,
            Metadata& metadata);

}  // namespace micro::observe
