#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "micro/error.h"
#include "micro/logger.h"

#include "natsd/in_process.h"
#include "natsd/options.h"
#include "natsd/stats.h"

namespace micro::natsd {

class Engine;

/// A server that speaks the NATS protocol: to clients, to other servers by routes, and to its own
/// process without a socket.
///
///     auto server = Server::Start({.host = "127.0.0.1", .port = -1}, logger);
///     if (!server) return server.error();
///     … nats://127.0.0.1:{(*server)->client_port()}
///
/// All of it runs on one thread of the server's own, which never runs the user's code. Every member
/// may be called from any thread but that one; none but the destructor, Shutdown and the snapshots
/// waits for it.
class Server {
 public:
  /// What servers say they are; clients and other servers tell by it what to expect.
  static constexpr std::string_view kVersion = "2.9.25";

  /// Listens, and begins to dial the routes. An error has Phase::kConfigure: INVALID_ARGUMENT for
  /// options that cannot be, FAILED_PRECONDITION for an address that cannot be had.
  static Result<std::unique_ptr<Server>> Start(Options options, std::shared_ptr<Logger> logger);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// "N" and 55 letters and digits: never twice the same.
  const std::string& id() const;
  const std::string& name() const;
  const Options& options() const;
  /// Where clients connect; 0 without a client port.
  std::uint16_t client_port() const;
  /// Where other servers connect; 0 without a cluster.
  std::uint16_t route_port() const;

  /// A connection from within the process: no socket, no credentials, everything allowed.
  /// `account` empty: the default one. UNAVAILABLE after Shutdown.
  Result<std::unique_ptr<InProcessClient>> Connect(InProcessOptions options = {});

  /// Dials another server, and again whenever the route is lost, until RemoveRoute.
  void AddRoute(const RouteUrl& url);
  /// Stops dialling `url`, and drops the route that came of it. Nothing if there is none.
  void RemoveRoute(const RouteUrl& url);

  /// Takes no more clients, tells those there to go elsewhere, and after
  /// Options::lame_duck_grace closes them one by one; then `done` is called once, on the server's
  /// thread: it hands over and returns.
  void LameDuck(std::function<void()> done);
  /// Closes everything at once. Nothing happens the second time.
  void Shutdown();

  /// How it stands now; empty after Shutdown.
  ServerStats Stats() const;
  /// `subjects`: with the subjects of their subscriptions.
  std::vector<ClientStats> Clients(bool subjects = false) const;
  std::vector<RouteStats> Routes() const;
  SublistStats Sublist() const;

 private:
  explicit Server(std::unique_ptr<Engine> engine);

  std::unique_ptr<Engine> engine_;
};

}  // namespace micro::natsd
