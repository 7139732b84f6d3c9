#include "natsd/engine.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "natsd/acceptor.h"
#include "natsd/cluster.h"
#include "natsd/lame_duck.h"
#include "natsd/linger.h"
#include "natsd/random_names.h"
#include "natsd/server.h"
#include "natsd/socket_address.h"
#include "natsd/socket_client.h"

namespace micro::natsd {

Engine::Engine(Options options, std::shared_ptr<Logger> logger)
    : options_(std::move(options)),
      logger_(std::move(logger)),
      id_(NewServerId()),
      name_(options_.server_name.empty() ? id_ : options_.server_name) {
  counters_.start = std::chrono::system_clock::now();
}

Engine::~Engine() { Shutdown(); }

Result<std::unique_ptr<Engine>> Engine::Start(Options options, std::shared_ptr<Logger> logger) {
  std::unique_ptr<Engine> engine(new Engine(std::move(options), std::move(logger)));
  if (Status set_up = engine->SetUp(); !set_up) return Failure(set_up.error());
  engine->thread_ = std::thread([engine = engine.get()] { engine->Run(); });
  return engine;
}

Status Engine::SetUp() {
  if (Status opened = loop_.Open(); !opened) return opened;
  auto authenticator = Authenticator::Make(options_.authorization);
  if (!authenticator) return Failure(authenticator.error());
  authenticator_ = *std::move(authenticator);
  AddAccounts();
  if (Status tls = SetUpTls(); !tls) return tls;
  cluster_ = std::make_unique<Cluster>(*this);
  if (Status cluster = cluster_->Listen(); !cluster) return cluster;
  route_port_ = cluster_->port();
  return SetUpClientPort();
}

void Engine::AddAccounts() {
  const auto add = [this](std::string_view name) {
    auto& account = accounts_[std::string(name)];
    if (account == nullptr) account = std::make_unique<Account>(std::string(name));
    return account.get();
  };
  default_account_ = add(Authenticator::kGlobalAccount);
  for (const User& user : options_.authorization.users) {
    if (!user.account.empty()) add(user.account);
  }
}

Account* Engine::FindAccount(std::string_view name) {
  if (name.empty()) return default_account_;
  const auto found = accounts_.find(name);
  return found == accounts_.end() ? nullptr : found->second.get();
}

Status Engine::SetUpClientPort() {
  if (!options_.listen) return Ok();
  const auto listening = ListenOn(options_.host, options_.port);
  if (!listening) return Failure(listening.error());
  acceptor_ = std::make_unique<Acceptor>(*this, *listening, [this](int descriptor) {
    auto client = std::make_unique<SocketClient>(*this, descriptor);
    SocketClient& made = *client;
    const bool full = CountSockets() >= options_.max_connections;
    Adopt(std::move(client));
    return full ? made.TurnAway() : made.Start();
  });
  client_port_ = acceptor_->port();
  return Ok();
}

void Engine::Adopt(std::unique_ptr<Client> client) {
  ++counters_.total_connections;
  if (!client->in_process()) ++sockets_;
  clients_.emplace(client->id(), std::move(client));
}

void Engine::Run() {
  if (acceptor_ != nullptr) acceptor_->Start();
  cluster_->Start();
  loop_.Run([this] { return AfterTurn(); });
  CloseAll();
}

SlabRef Engine::InputSlab() {
  if (!input_ || input_->references() > 1) input_ = slabs_.Get(SlabPool::kInput);
  return input_;
}

// Closing tells routes, and writing may close: until neither has anything left to do.
bool Engine::AfterTurn() {
  ReadPending();
  while (!doomed_.empty() || !dirty_.empty()) {
    CloseDoomed();
    FlushDirty();
  }
  buried_.clear();
  gone_.clear();
  return !again_.empty() || !unstalled_.empty();
}

void Engine::ReadPending() {
  for (const std::uint64_t id : std::exchange(unstalled_, {})) {
    const auto found = clients_.find(id);
    if (found != clients_.end()) found->second->EndStall();
  }
  reading_ = std::exchange(again_, {});
  for (Wire*& wire : reading_) {
    if (wire != nullptr) wire->OnReadAgain();
  }
  reading_.clear();
}

void Engine::ForgetRead(Wire& wire) {
  std::erase(again_, &wire);
  std::replace(reading_.begin(), reading_.end(), &wire, static_cast<Wire*>(nullptr));
}

void Engine::FlushDirty() {
  // NOLINTNEXTLINE(modernize-loop-convert): the end of one peer's turn may add others
  for (std::size_t i = 0; i < dirty_.size(); ++i) dirty_[i]->EndTurn();
  dirty_.clear();
}

void Engine::CloseDoomed() {
  for (Peer* peer : std::exchange(doomed_, {})) {
    counters_.traffic += peer->traffic();
    peer->OnClosed();
    if (peer->kind() == Peer::Kind::kRoute) {
      cluster_->Release(static_cast<Route&>(*peer));
      continue;
    }
    Log(LogLevel::kDebug, "client " + std::to_string(peer->id()) + " closed: " + peer->reason());
    const auto found = clients_.find(peer->id());
    if (!found->second->in_process()) --sockets_;
    Bury(std::move(found->second));
    clients_.erase(found);
  }
}

void Engine::Bury(std::unique_ptr<Peer> peer) {
  std::erase(dirty_, peer.get());
  buried_.push_back(std::move(peer));
}

void Engine::Linger(int descriptor) {
  if (closed_) {
    ::close(descriptor);
    return;
  }
  lingering_.push_back(std::make_unique<natsd::Linger>(*this, descriptor));
}

void Engine::EndLinger(natsd::Linger& linger) {
  // Not under its own feet: it goes with the turn.
  const auto is = [&linger](const auto& one) { return one.get() == &linger; };
  const auto found = std::find_if(lingering_.begin(), lingering_.end(), is);
  gone_.push_back(std::move(*found));
  lingering_.erase(found);
}

bool Engine::Ask(std::function<void()> what) {
  struct Answer {
    std::mutex mutex;
    std::condition_variable changed;
    bool over = false;
    bool done = false;
  };
  // Says that it is over even when nobody is left to call it.
  struct Question {
    std::shared_ptr<Answer> answer;
    std::function<void()> what;
    Question(std::shared_ptr<Answer> to, std::function<void()> ask)
        : answer(std::move(to)), what(std::move(ask)) {}
    Question(Question&&) = default;
    Question& operator=(Question&&) = delete;
    ~Question() {
      if (answer == nullptr) return;
      const std::lock_guard lock(answer->mutex);
      answer->over = true;
      answer->changed.notify_all();
    }
    void operator()() {
      what();
      const std::lock_guard lock(answer->mutex);
      answer->done = true;
    }
  };
  const auto answer = std::make_shared<Answer>();
  loop_.Post(Question(answer, std::move(what)));
  std::unique_lock lock(answer->mutex);
  answer->changed.wait(lock, [&] { return answer->over; });
  return answer->done;
}

void Engine::Shutdown() {
  std::call_once(shut_down_, [this] {
    hasher_.Stop();
    resolver_.Stop();
    loop_.Stop();
    if (thread_.joinable()) thread_.join();
    loop_.Refuse();
    if (acceptor_ != nullptr) acceptor_->Close();
  });
}

// The end of the server's thread.
void Engine::CloseAll() {
  if (acceptor_ != nullptr) acceptor_->Close();
  cluster_->Close();
  for (auto& [id, client] : clients_) client->Close("Server Shutdown");
  AfterTurn();
  closed_ = true;
  lingering_.clear();
  gone_.clear();
  lame_duck_.reset();
}

void Engine::BeginLameDuck(std::function<void()> done) {
  if (lame_duck_ != nullptr) return;
  Log(LogLevel::kInfo, "lame duck: clients are asked to go elsewhere");
  if (acceptor_ != nullptr) acceptor_->Close();
  lame_duck_ = std::make_unique<LameDuck>(*this, std::move(done));
  cluster_->TellLameDuck();
  InfoChanged();
  lame_duck_->Begin();
}

void Engine::InfoChanged() {
  ++info_version_;
  for (auto& [id, client] : clients_) client->TellInfo();
}

void Engine::InterestAdded(Account& account, const Subscription& subscription) {
  cluster_->InterestChanged(account, subscription, 1);
}

void Engine::InterestRemoved(Account& account, const Subscription& subscription) {
  cluster_->InterestChanged(account, subscription, -1);
}

}  // namespace micro::natsd
