#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

/// Adds what tells the next one where it stands: traceparent and go-micro's two keys, and what of
/// `inbound`, the metadata of the request that is being served if there is one, goes with them.
/// Keys that are there already stay as they are.
void Inject(const TraceContext& trace, const Metadata* inbound, Metadata& metadata);

}  // namespace micro::observe
