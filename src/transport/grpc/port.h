#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "micro/transport.h"

#include "net/http1/connection.h"
#include "net/http2/session.h"
#include "net/tls_context.h"
#include "transport/grpc/arrival.h"
#include "transport/grpc/server_stream.h"
#include "transport/grpc/web/router.h"

namespace micro::grpc {

/// What came in on one loop, whatever it speaks. Touched on that loop only.
class Port final : public http2::Session::Owner,
                   public http1::Connection::Owner,
                   public Arrival::Owner,
                   public ServerStream::Elsewhere,
                   public std::enable_shared_from_this<Port> {
 public:
  /// `connections` counts those that are there.
  Port(const TransportConfig& config, transport::Acceptor& acceptor,
       std::shared_ptr<std::atomic<std::int64_t>> connections);

  void Add(runtime::Loop& loop, std::unique_ptr<net::Link> link);
  /// The same, within TLS once both sides agree on it.
  void AddSecured(runtime::Loop& loop, std::unique_ptr<net::Link> link, net::TlsContext& tls);
  /// Lets those there end, and serves those who come only to send them away.
  void Drain();
  void Close();

 private:
  http2::Stream* OnStream(http2::Session& session) override;
  void OnSessionClosed(http2::Session& session, std::string_view reason, bool malformed) override;
  void OnRequest(http::Exchange& exchange, http::Request request) override;
  void OnConnectionClosed(http1::Connection& connection, std::string_view reason,
                          bool malformed) override;
  void OnArrival(Arrival& arrival, Speech speech, std::unique_ptr<net::Link> link,
                 std::string bytes) override;
  void OnTurnedAway(Arrival& arrival, std::string_view reason, bool malformed) override;
  void OnWebRequest(http2::Exchange& exchange, web::Request request) override;

  void StartHttp2(runtime::Loop& loop, std::unique_ptr<net::Link> link, std::string_view bytes);
  void StartHttp1(runtime::Loop& loop, std::unique_ptr<net::Link> link, std::string bytes);
  void Refuse(const std::string& peer, const std::string& why);
  void Gone(const std::string& peer, std::string_view reason, bool malformed);

  template <typename T>
  using Holding = std::unordered_map<T*, std::shared_ptr<T>>;

  const transport::Limits limits_;
  const transport::Lifetimes lifetimes_;
  const Duration handshake_timeout_;
  transport::Acceptor& acceptor_;
  web::Router router_;
  std::shared_ptr<std::atomic<std::int64_t>> connections_;
  Holding<Arrival> arrivals_;
  Holding<http2::Session> sessions_;
  Holding<http1::Connection> http1_;
  bool draining_ = false;
  bool closed_ = false;
};

}  // namespace micro::grpc
