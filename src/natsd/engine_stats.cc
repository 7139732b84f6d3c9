// What an engine tells of itself.
#include "base/misconfigured.h"
#include "natsd/acceptor.h"
#include "natsd/client.h"
#include "natsd/cluster.h"
#include "natsd/engine.h"
#include "natsd/random_names.h"
#include "natsd/server.h"

namespace micro::natsd {
namespace {

transport::Tls TlsOf(const TlsFiles& files, bool server) {
  return {.cert = files.cert,
          .key = files.key,
          .ca = files.ca,
          .client_auth = server && !files.verify ? "none" : "",
          .handshake_timeout = files.timeout};
}

Result<std::shared_ptr<net::TlsContext>> MakeTls(net::TlsContext::Side side, const TlsFiles& files,
                                                 Logger& logger) {
  const bool server = side == net::TlsContext::Side::kServer;
  if (server && files.verify && files.ca.empty()) {
    return Misconfigured("TLS that verifies clients needs a CA to verify them with");
  }
  return net::TlsContext::Make(side, TlsOf(files, server), logger);
}

}  // namespace

Status Engine::SetUpTls() {
  using Side = net::TlsContext::Side;
  if (options_.tls.on()) {
    auto made = MakeTls(Side::kServer, options_.tls, *logger_);
    if (!made) return Failure(made.error());
    client_tls_ = *std::move(made);
  }
  if (!options_.cluster.tls.on()) return Ok();
  auto server = MakeTls(Side::kServer, options_.cluster.tls, *logger_);
  if (!server) return Failure(server.error());
  route_tls_server_ = *std::move(server);
  auto client = MakeTls(Side::kClient, options_.cluster.tls, *logger_);
  if (!client) return Failure(client.error());
  route_tls_client_ = *std::move(client);
  return Ok();
}

std::string Engine::NewNonce() const { return NewSecret(15); }

ClientInfo Engine::InfoForClients() {
  ClientInfo info{.server_id = id_,
                  .server_name = name_,
                  .host = options_.host,
                  .port = client_port_,
                  .max_payload = options_.max_payload,
                  .auth_required = authenticator_.required(),
                  .tls_required = options_.tls.on() && !options_.allow_non_tls,
                  .tls_verify = options_.tls.on() && options_.tls.verify,
                  .tls_available = options_.tls.on() && options_.allow_non_tls};
  info.lame_duck = lame_duck();
  cluster_->Describe(info);
  return info;
}

ServerStats Engine::Stats() {
  ServerStats stats = counters_;
  stats.id = id_;
  stats.name = name_;
  stats.version = Server::kVersion;
  stats.cluster = cluster_->name();
  stats.connections = clients_.size();
  stats.routes = cluster_->size();
  stats.lame_duck = lame_duck();
  stats.connect_urls = InfoForClients().connect_urls;
  for (const auto& [id, client] : clients_) {
    stats.traffic += client->traffic();
    stats.subscriptions += client->subscriptions();
  }
  cluster_->AddTraffic(stats.traffic);
  return stats;
}

std::vector<ClientStats> Engine::Clients(bool subjects) {
  std::vector<ClientStats> all;
  all.reserve(clients_.size());
  for (const auto& [id, client] : clients_) all.push_back(client->Stats(subjects));
  return all;
}

SublistStats Engine::Sublist() {
  SublistStats stats;
  for (const auto& [name, account] : accounts_) {
    stats.subscriptions += account->sublist.size();
    stats.inserts += account->sublist.inserts();
    stats.removes += account->sublist.removes();
    stats.cached_plans += account->plans.size();
    stats.matches += account->plans.lookups();
    stats.hits += account->plans.hits();
  }
  return stats;
}

}  // namespace micro::natsd
