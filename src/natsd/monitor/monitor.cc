#include "natsd/monitor/monitor.h"

#include <utility>

namespace micro::natsd::monitor {
namespace {

constexpr std::size_t kMostConnections = 64;
constexpr http1::Limits kLimits = {
    .max_head = 8U << 10U, .patience = std::chrono::seconds(5), .idle = std::chrono::seconds(30)};

const Metadata& FieldsOf(bool html) {
  static const Metadata json = {{"content-type", "application/json"}};
  static const Metadata page = {{"content-type", "text/html; charset=utf-8"}};
  return html ? page : json;
}

std::string Index() {
  std::string text = "<!doctype html><title>micro-nats-server</title><h1>micro-nats-server</h1>";
  for (const char* page : {"varz", "connz", "routez", "subsz", "healthz"}) {
    text += std::string("<p><a href=\"") + page + "\">" + page + "</a>";
  }
  return text + "\n";
}

}  // namespace

Monitor::Monitor(Sources sources, std::shared_ptr<Logger> logger)
    : runtime_(std::make_unique<Runtime>(
          RuntimeOptions{.loops = 1, .workers = 1, .logger = std::move(logger)})) {
  pages_ = {{"/varz", std::move(sources.varz)},
            {"/connz", std::move(sources.connz)},
            {"/routez", std::move(sources.routez)},
            {"/subsz", sources.subsz},
            {"/subscriptionsz", sources.subsz},
            {"/healthz", [](const std::string&) { return Healthz(); }},
            {"/", [](const std::string&) { return Index(); }}};
}

Result<std::unique_ptr<Monitor>> Monitor::Start(const std::string& address, Sources sources,
                                                std::shared_ptr<Logger> logger) {
  std::unique_ptr<Monitor> monitor(new Monitor(std::move(sources), std::move(logger)));
  auto listener = net::Listener::Listen(
      *monitor->runtime_, address, kMostConnections,
      [at = monitor.get()](runtime::Loop& loop, std::unique_ptr<net::Link> link) {
        at->Welcome(loop, std::move(link));
      });
  if (!listener) return Failure(std::move(listener.error()));
  monitor->listener_ = *std::move(listener);
  return monitor;
}

Monitor::~Monitor() {
  if (listener_) listener_->Close();
  // The loop's connections call this object until they are closed.
  internal::Parker closed;
  runtime_->loop(0).Post([&] {
    CloseAll();
    closed.Signal();
  });
  closed.Wait();
  runtime_.reset();
}

void Monitor::CloseAll() {
  closing_ = true;
  const auto connections = connections_;
  for (const auto& [connection, held] : connections) connection->Close("the server stops");
}

void Monitor::Welcome(runtime::Loop& loop, std::unique_ptr<net::Link> link) {
  if (closing_) return;
  auto connection = std::make_shared<http1::Connection>(loop, std::move(link), kLimits, *this);
  connections_.emplace(connection.get(), connection);
  connection->Start("");
}

void Monitor::OnConnectionClosed(http1::Connection& connection, std::string_view, bool) {
  connections_.erase(&connection);
}

void Monitor::OnRequest(http::Exchange& exchange, http::Request request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return http::Answer(exchange, 405, {{"allow", "GET, HEAD"}}, "");
  }
  const auto mark = request.target.find('?');
  const auto page = pages_.find(request.target.substr(0, mark));
  if (page == pages_.end()) return http::Answer(exchange, 404, {}, "");
  const std::string query = mark == std::string::npos ? "" : request.target.substr(mark + 1);
  http::Answer(exchange, 200, FieldsOf(page->first == "/"), page->second(query));
}

}  // namespace micro::natsd::monitor
