#include "natsd/server.h"

#include <utility>

#include "natsd/cluster.h"
#include "natsd/engine.h"
#include "natsd/memory_client.h"

namespace micro::natsd {

Server::Server(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(Options options, std::shared_ptr<Logger> logger) {
  auto engine = Engine::Start(std::move(options), std::move(logger));
  if (!engine) return Failure(engine.error());
  return std::unique_ptr<Server>(new Server(*std::move(engine)));
}

const std::string& Server::id() const { return engine_->id(); }
const std::string& Server::name() const { return engine_->name(); }
const Options& Server::options() const { return engine_->options(); }
std::uint16_t Server::client_port() const { return engine_->client_port(); }
std::uint16_t Server::route_port() const { return engine_->route_port(); }

Result<std::unique_ptr<InProcessClient>> Server::Connect(InProcessOptions options) {
  const std::string account = options.account;
  const auto line = std::make_shared<MemoryLine>(*engine_, std::move(options));
  bool found = false;
  const bool asked = engine_->Ask([&] {
    Account* room = engine_->FindAccount(account);
    if (room == nullptr) return;
    found = true;
    auto client = std::make_unique<MemoryClient>(*engine_, *room, line);
    line->set_server(client.get());
    engine_->Adopt(std::move(client));
  });
  if (!asked) return Unavailable("the NATS server has stopped");
  if (!found) return InvalidArgument("there is no account \"" + account + "\"");
  return std::make_unique<InProcessClient>(line);
}

void Server::AddRoute(const RouteUrl& url) {
  engine_->loop().Post([engine = engine_.get(), url] { engine->cluster().AddRoute(url); });
}

void Server::RemoveRoute(const RouteUrl& url) {
  engine_->loop().Post([engine = engine_.get(), url] { engine->cluster().RemoveRoute(url); });
}

void Server::LameDuck(std::function<void()> done) {
  engine_->loop().Post(
      [engine = engine_.get(), done = std::move(done)] { engine->BeginLameDuck(done); });
}

void Server::Shutdown() { engine_->Shutdown(); }

ServerStats Server::Stats() const {
  ServerStats stats;
  engine_->Ask([&] { stats = engine_->Stats(); });
  return stats;
}

std::vector<ClientStats> Server::Clients(bool subjects) const {
  std::vector<ClientStats> clients;
  engine_->Ask([&] { clients = engine_->Clients(subjects); });
  return clients;
}

std::vector<RouteStats> Server::Routes() const {
  std::vector<RouteStats> routes;
  engine_->Ask([&] { routes = engine_->cluster().Routes(); });
  return routes;
}

SublistStats Server::Sublist() const {
  SublistStats stats;
  engine_->Ask([&] { stats = engine_->Sublist(); });
  return stats;
}

}  // namespace micro::natsd
