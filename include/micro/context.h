#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "micro/compression.h"
#include "micro/duration.h"
#include "micro/metadata.h"
#include "micro/trace.h"

namespace micro {

/// What surrounds one call, at the side that makes it and at the side that serves it: metadata both
/// ways, deadline, cancellation, and who is at the other end.
///
/// A context belongs to its call: it lives until the handler, or the call, has returned.
/// Cancellation may be asked for from any thread; the rest is for whoever runs the call at the
/// moment.
class Context {
 public:
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// The name of the service that is called, as discovery knows it; empty on the serving side when
  /// the service has none.
  const std::string& service() const { return service_; }
  /// The full path, "/helloworld.Greeter/Hello".
  const std::string& path() const { return path_; }
  /// The address at the other end, "127.0.0.1:41897".
  const std::string& peer() const { return peer_; }

  /// What the caller sends beside the request. Serving: what came. Calling: middleware may add.
  Metadata& metadata() { return metadata_; }
  const Metadata& metadata() const { return metadata_; }

  /// What the service sends ahead of its answer. Serving: to be filled. Calling: what came.
  Metadata& response_metadata() { return response_metadata_; }
  const Metadata& response_metadata() const { return response_metadata_; }
  /// What the service sends behind its answer, beside the status.
  Metadata& trailers() { return trailers_; }
  const Metadata& trailers() const { return trailers_; }

  /// How the other side's messages are compressed. Calling: once an answer has come.
  Compression received_compression() const { return received_compression_; }
  /// How the answers are compressed, if the caller has said that it takes that. Serving: to be set
  /// before the first answer.
  void set_compression(Compression compression) { compression_ = compression; }

  /// Where the call stands in a trace. Calls made with this context as their parent go on with it.
  const TraceContext& trace() const { return trace_; }
  /// What is said of the call beside its name and end, to whoever exports its span.
  Metadata& attributes() { return attributes_; }
  const Metadata& attributes() const { return attributes_; }

  /// When the caller stops waiting.
  std::optional<TimePoint> deadline() const { return deadline_; }
  /// What is left of the deadline: not below zero, and the longest Duration there is without one.
  Duration remaining() const;

  /// Whether the caller has gone, cancelled, or run out of time.
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }
  /// Tells of cancellation as it happens; a std::stop_callback on it may run on an event loop's
  /// thread and must not block.
  std::stop_token stop_token() const;

 protected:
  /// The library's way in: it makes contexts as a derived type.
  void Reset();
  void Cancel();

  std::string service_;
  std::string path_;
  std::string peer_;
  Metadata metadata_;
  Metadata response_metadata_;
  Metadata trailers_;
  Metadata attributes_;
  TraceContext trace_;
  std::optional<TimePoint> deadline_;
  Compression received_compression_ = Compression::kNone;
  Compression compression_ = Compression::kNone;

 private:
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  mutable std::optional<std::stop_source> stop_;
};

}  // namespace micro
