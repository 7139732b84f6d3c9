#include "transport/grpc/port.h"

#include <utility>

#include "net/tls.h"

namespace micro::grpc {
namespace {

// A copy, as ending takes them out.
template <typename Held>
auto CopyOf(const Held& held) {
  std::vector<typename Held::mapped_type> all;
  all.reserve(held.size());
  for (const auto& [key, one] : held) all.push_back(one);
  return all;
}

}  // namespace

Port::Port(const TransportConfig& config, transport::Acceptor& acceptor,
           std::shared_ptr<std::atomic<std::int64_t>> connections)
    : limits_(config.limits),
      lifetimes_(config.lifetimes),
      handshake_timeout_(config.handshake_timeout),
      acceptor_(acceptor),
      router_(acceptor, config.limits, config.cors_origins),
      connections_(std::move(connections)) {}

void Port::Add(runtime::Loop& loop, std::unique_ptr<net::Link> link) {
  if (closed_) return;
  connections_->fetch_add(1, std::memory_order_acq_rel);
  auto arrival = std::make_shared<Arrival>(loop, std::move(link), *this);
  arrivals_.emplace(arrival.get(), arrival);
  arrival->Start(handshake_timeout_);
}

// The handshake may outlast everything but this.
void Port::AddSecured(runtime::Loop& loop, std::unique_ptr<net::Link> link, net::TlsContext& tls) {
  const std::string peer = link->peer();
  net::Secure(loop, std::move(link), tls, "", tls.config().handshake_timeout,
              [self = shared_from_this(), &loop, peer](Result<std::unique_ptr<net::Link>> made) {
                made ? self->Add(loop, *std::move(made))
                     : self->Refuse(peer, made.error().detail());
              });
}

// The acceptor may be gone once this is closed.
void Port::Refuse(const std::string& peer, const std::string& why) {
  if (!closed_ && !why.empty()) acceptor_.OnRefused(peer, why);
}

// An arrival may be about to send a call: it is served, and told that it is the last.
void Port::Drain() {
  draining_ = true;
  for (const auto& session : CopyOf(sessions_)) session->Shutdown();
  for (const auto& connection : CopyOf(http1_)) connection->Shutdown();
}

void Port::Close() {
  constexpr std::string_view kStopped = "the server has stopped";
  closed_ = true;
  for (const auto& arrival : CopyOf(arrivals_)) arrival->Close(kStopped);
  for (const auto& session : CopyOf(sessions_)) session->Close(kStopped);
  for (const auto& connection : CopyOf(http1_)) connection->Close(kStopped);
}

void Port::OnArrival(Arrival& arrival, Speech speech, std::unique_ptr<net::Link> link,
                     std::string bytes) {
  arrivals_.erase(&arrival);
  if (speech == Speech::kHttp2) return StartHttp2(arrival.loop(), std::move(link), bytes);
  StartHttp1(arrival.loop(), std::move(link), std::move(bytes));
}

void Port::OnTurnedAway(Arrival& arrival, std::string_view reason, bool malformed) {
  Gone(arrival.peer(), reason, malformed);
  arrivals_.erase(&arrival);
}

void Port::StartHttp2(runtime::Loop& loop, std::unique_ptr<net::Link> link,
                      std::string_view bytes) {
  const http2::Settings settings{
      .max_streams = static_cast<std::uint32_t>(limits_.max_streams),
      .max_header_list = static_cast<std::uint32_t>(limits_.max_metadata),
      .lifetimes = lifetimes_};
  auto session = std::make_shared<http2::Session>(loop, std::move(link), http2::Role::kServer,
                                                  settings, *this);
  sessions_.emplace(session.get(), session);
  session->Start(bytes);
  if (draining_) session->Shutdown();
}

void Port::StartHttp1(runtime::Loop& loop, std::unique_ptr<net::Link> link, std::string bytes) {
  const http1::Limits limits{.max_head = limits_.max_metadata, .patience = handshake_timeout_};
  auto connection = std::make_shared<http1::Connection>(loop, std::move(link), limits, *this);
  http1_.emplace(connection.get(), connection);
  connection->Start(std::move(bytes), draining_);
}

http2::Stream* Port::OnStream(http2::Session& session) {
  return ServerStream::Make(limits_, acceptor_, *this, session);
}

void Port::OnSessionClosed(http2::Session& session, std::string_view reason, bool malformed) {
  Gone(session.peer(), reason, malformed);
  sessions_.erase(&session);
}

void Port::OnRequest(http::Exchange& exchange, http::Request request) {
  router_.Serve(exchange, web::ReadRequest(std::move(request)));
}

void Port::OnWebRequest(http2::Exchange& exchange, web::Request request) {
  router_.Serve(exchange, std::move(request));
}

void Port::OnConnectionClosed(http1::Connection& connection, std::string_view reason,
                              bool malformed) {
  Gone(connection.peer(), reason, malformed);
  http1_.erase(&connection);
}

void Port::Gone(const std::string& peer, std::string_view reason, bool malformed) {
  if (malformed) Refuse(peer, std::string(reason));
  connections_->fetch_sub(1, std::memory_order_acq_rel);
}

}  // namespace micro::grpc
