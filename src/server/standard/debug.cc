#include "server/standard/debug.h"

#include <algorithm>
#include <stop_token>
#include <utility>

#include "base/log_level.h"
#include "observe/process.h"
#include "runtime/bell.h"
#include "server/standard/debug.micro.h"
#include "server/standard/known_as.h"

namespace micro::server {
namespace {

using observe::LogLine;
using observe::LogRing;
using standard::debug::HealthRequest;
using standard::debug::HealthResponse;
using standard::debug::LogRequest;
using standard::debug::Record;
using standard::debug::StatsRequest;
using standard::debug::StatsResponse;
using standard::debug::TraceRequest;
using standard::debug::TraceResponse;
using SystemTime = std::chrono::system_clock::time_point;

std::int64_t UnixSeconds(SystemTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

Record ToRecord(const LogLine& line) {
  Record record;
  record.set_timestamp(UnixSeconds(line.time));
  record.set_message(line.message);
  (*record.mutable_metadata())["level"] = LevelName(line.level);
  return record;
}

// go-micro's ids of traces are UUIDs; what is asked for by one is found as well.
std::string TraceId(std::string text) {
  std::erase(text, '-');
  return text;
}

void Fill(standard::debug::Span& span, const observe::SpanRecord& record) {
  const Duration ago = std::chrono::steady_clock::now() - record.start;
  const SystemTime started = std::chrono::system_clock::now() - ago;
  span.set_trace(record.trace.trace_id());
  span.set_id(record.trace.span_id());
  span.set_parent(record.trace.parent_id());
  span.set_name(*record.name);
  span.set_started(static_cast<std::uint64_t>(Duration(started.time_since_epoch()).count()));
  span.set_duration(static_cast<std::uint64_t>(record.duration.count()));
  const bool inbound = record.kind == SpanKind::kServer || record.kind == SpanKind::kConsumer;
  span.set_type(inbound ? standard::debug::INBOUND : standard::debug::OUTBOUND);
  if (record.code != Code::kOk) (*span.mutable_metadata())["error"] = ToString(record.code);
}

// A bell that new log lines ring, and the end of the call.
class Listening {
 public:
  Listening(LogRing& log, const Context& context)
      : log_(log),
        listener_(log.Listen([bell = bell_] { bell->Ring(); })),
        gone_(context.stop_token(), [bell = bell_] { bell->Ring(); }) {}
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() { log_.Remove(listener_); }

  const std::shared_ptr<runtime::Bell>& bell() const { return bell_; }

 private:
  LogRing& log_;
  std::shared_ptr<runtime::Bell> bell_ = std::make_shared<runtime::Bell>(*EventLoop::Current());
  std::uint64_t listener_;
  std::stop_callback<std::function<void()>> gone_;
};

// The server's health rings the same bell: a stream ends when the server stops.
class Watching {
 public:
  Watching(HealthBoard& board, std::shared_ptr<runtime::Bell> bell)
      : board_(board), bell_(std::move(bell)) {
    board_.Add(bell_);
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;
  ~Watching() { board_.Remove(bell_); }

 private:
  HealthBoard& board_;
  std::shared_ptr<runtime::Bell> bell_;
};

class DebugHandler final : public KnownAs<standard::debug::DebugAsyncHandler> {
 public:
  explicit DebugHandler(DebugSources sources) : KnownAs("Debug"), sources_(std::move(sources)) {}

  Task<Result<HealthResponse>> Health(Context& /*context*/, HealthRequest /*request*/) override {
    HealthResponse response;
    response.set_status(sources_.health->Get("").value_or(false) ? "ok" : "not serving");
    co_return response;
  }

  Task<Result<StatsResponse>> Stats(Context& /*context*/, StatsRequest /*request*/) override {
    const auto now = std::chrono::system_clock::now();
    const auto started = sources_.observer->started();
    const observe::ProcessInfo process = observe::ReadProcess();
    const observe::CallTotals calls = sources_.calls();
    StatsResponse response;
    response.set_timestamp(static_cast<std::uint64_t>(UnixSeconds(now)));
    response.set_started(static_cast<std::uint64_t>(UnixSeconds(started)));
    response.set_uptime(response.timestamp() - std::min(response.timestamp(), response.started()));
    response.set_memory(process.resident);
    response.set_threads(process.threads);
    response.set_requests(calls.started);
    response.set_errors(calls.errors());
    co_return response;
  }

  Task<Status> Log(Context& context, LogRequest request, AsyncServerWriter<Record> out) override {
    LogRing& log = *sources_.observer->log();
    const Listening listening(log, context);
    const Watching watching(*sources_.health, listening.bell());
    std::vector<LogLine> lines = log.After(0);
    std::uint64_t last = lines.empty() ? 0 : lines.back().number;
    lines = Wanted(std::move(lines), request);
    while (!context.cancelled()) {
      const bool closed = sources_.health->closed();
      for (const LogLine& line : lines) {
        last = line.number;
        const Record record = ToRecord(line);
        if (!co_await out.Write(record)) co_return out.status();
      }
      if (!request.stream()) co_return Ok();
      if (closed) co_return Unavailable("the server is stopping");
      co_await listening.bell()->Rung();
      lines = log.After(last);
    }
    co_return out.status();
  }

  Task<Result<TraceResponse>> Trace(Context& /*context*/, TraceRequest request) override {
    TraceResponse response;
    for (const auto& record : sources_.observer->spans().Read(TraceId(request.id()))) {
      Fill(*response.add_spans(), record);
    }
    co_return response;
  }

 private:
  static std::vector<LogLine> Wanted(std::vector<LogLine> lines, const LogRequest& request) {
    std::erase_if(lines,
                  [&](const LogLine& line) { return UnixSeconds(line.time) < request.since(); });
    const std::size_t count =
        request.count() > 0 ? static_cast<std::size_t>(request.count()) : lines.size();
    if (lines.size() > count)
      lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
    return lines;
  }

  DebugSources sources_;
};

}  // namespace

std::shared_ptr<Handler> MakeDebugHandler(DebugSources sources) {
  return std::make_shared<DebugHandler>(std::move(sources));
}

}  // namespace micro::server
