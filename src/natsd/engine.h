#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "micro/error.h"
#include "micro/logger.h"

#include "natsd/account.h"
#include "natsd/authenticator.h"
#include "natsd/info.h"
#include "natsd/loop.h"
#include "natsd/options.h"
#include "natsd/router.h"
#include "natsd/side_thread.h"
#include "natsd/slab.h"
#include "natsd/stats.h"
#include "net/tls_context.h"

namespace micro::natsd {

class Acceptor;
class Client;
class Cluster;
class LameDuck;
class Linger;
class MemoryLine;
class Peer;
class Wire;
struct InProcessOptions;

/// The inside of a Server: everything there is one of, and the turn of its loop. Its members are
/// for the server's thread, except where they say otherwise.
class Engine {
 public:
  static Result<std::unique_ptr<Engine>> Start(Options options, std::shared_ptr<Logger> logger);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // From any thread.
  void Shutdown();
  const Options& options() const { return options_; }
  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  std::uint16_t client_port() const { return client_port_; }
  std::uint16_t route_port() const { return route_port_; }
  Loop& loop() { return loop_; }
  /// Calls `what` on the server's thread and waits for it; false when that has ended.
  bool Ask(std::function<void()> what);

  void Log(LogLevel level, std::string_view text) { logger_->Write(level, text); }
  bool tracing() const { return options_.trace; }

  // Memory.
  SlabPool& slabs() { return slabs_; }
  /// A slab to read into, that nobody else refers to.
  SlabRef InputSlab();
  const Slab* input_slab() const { return input_.get(); }

  // Accounts and authentication.
  Account& DefaultAccount() { return *default_account_; }
  Account* FindAccount(std::string_view name);
  const auto& accounts() const { return accounts_; }
  const Authenticator& authenticator() const { return authenticator_; }
  /// 15 random characters for nkeys to sign.
  std::string NewNonce() const;
  SideThread& hasher() { return hasher_; }
  net::TlsContext* client_tls() { return client_tls_.get(); }
  std::shared_ptr<net::TlsContext> route_tls_server() { return route_tls_server_; }
  std::shared_ptr<net::TlsContext> route_tls_client() { return route_tls_client_; }

  Router& router() { return router_; }
  Cluster& cluster() { return *cluster_; }
  SideThread& resolver() { return resolver_; }

  // Connections.
  std::uint64_t NextId() { return ++last_id_; }
  void Adopt(std::unique_ptr<Client> client);
  std::map<std::uint64_t, std::unique_ptr<Client>>& clients() { return clients_; }
  std::size_t CountSockets() const { return sockets_; }
  /// Puts away a peer that has closed, until the turn ends.
  void Bury(std::unique_ptr<Peer> peer);
  void MarkDirty(Peer& peer) { dirty_.push_back(&peer); }
  void Doom(Peer& peer) { doomed_.push_back(&peer); }
  /// Reads from `wire` in the next turn, whatever its socket says.
  void ReadAgain(Wire& wire) { again_.push_back(&wire); }
  void ForgetRead(Wire& wire);
  void Linger(int descriptor);
  void EndLinger(natsd::Linger& linger);
  /// Ends a client's stall in the next turn.
  void EndStallSoon(std::uint64_t client) { unstalled_.push_back(client); }

  ClientInfo InfoForClients();
  /// Tells clients what has changed in INFO.
  void InfoChanged();
  std::uint64_t info_version() const { return info_version_; }
  bool lame_duck() const { return lame_duck_ != nullptr; }
  void BeginLameDuck(std::function<void()> done);

  /// Interest of a client of ours, for the routes to hear of.
  void InterestAdded(Account& account, const Subscription& subscription);
  void InterestRemoved(Account& account, const Subscription& subscription);

  ServerStats& counters() { return counters_; }
  ServerStats Stats();
  std::vector<ClientStats> Clients(bool subjects);
  SublistStats Sublist();

 private:
  Engine(Options options, std::shared_ptr<Logger> logger);
  Status SetUp();
  Status SetUpTls();
  Status SetUpClientPort();
  void AddAccounts();
  void Run();
  bool AfterTurn();
  void CloseDoomed();
  void FlushDirty();
  void ReadPending();
  void CloseAll();

  Options options_;
  std::shared_ptr<Logger> logger_;
  const std::string id_;
  const std::string name_;
  std::uint16_t client_port_ = 0;
  std::uint16_t route_port_ = 0;
  SlabPool slabs_;  // ahead of all that holds slabs
  SlabRef input_;
  Loop loop_;
  Authenticator authenticator_;
  std::shared_ptr<net::TlsContext> client_tls_;
  std::shared_ptr<net::TlsContext> route_tls_server_;
  std::shared_ptr<net::TlsContext> route_tls_client_;
  std::unordered_map<std::string, std::unique_ptr<Account>, StringHash, std::equal_to<>> accounts_;
  Account* default_account_ = nullptr;
  Router router_;
  ServerStats counters_;
  std::uint64_t info_version_ = 0;
  std::uint64_t last_id_ = 0;
  std::size_t sockets_ = 0;  // clients that are not of this process
  bool closed_ = false;
  std::vector<Wire*> again_;
  std::vector<Wire*> reading_;
  std::vector<std::uint64_t> unstalled_;
  std::vector<Peer*> dirty_;
  std::vector<Peer*> doomed_;
  std::vector<std::unique_ptr<Peer>> buried_;
  std::vector<std::unique_ptr<natsd::Linger>> lingering_;
  std::vector<std::unique_ptr<natsd::Linger>> gone_;  // until the turn ends
  std::map<std::uint64_t, std::unique_ptr<Client>> clients_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<LameDuck> lame_duck_;
  std::thread thread_;
  std::once_flag shut_down_;
  SideThread hasher_;    // for passwords that take long to check
  SideThread resolver_;  // for names of hosts
};

}  // namespace micro::natsd
