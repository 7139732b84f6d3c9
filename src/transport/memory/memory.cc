#include "transport/memory/memory.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/address.h"
#include "transport/memory/call.h"

namespace micro {
namespace memory {

/// An address that is listened on. Calls are opened on any loop, and served on those of the side
/// that listens; it is closed from any thread.
class Port : public std::enable_shared_from_this<Port> {
 public:
  Port(transport::Acceptor& acceptor, Runtime& runtime) : acceptor_(&acceptor), runtime_(runtime) {}

  bool open() const {
    const std::lock_guard lock(mutex_);
    return Takes();
  }

  std::shared_ptr<Call> Open(const transport::CallHead& head, const std::string& peer,
                             const transport::Limits& limits) {
    EventLoop& client = *EventLoop::Current();
    const std::lock_guard lock(mutex_);
    EventLoop& server = Takes() ? runtime_.NextLoop() : client;
    auto call = std::make_shared<Call>(client, server, head, peer, limits);
    if (!Takes()) return Refuse(*call), call;
    std::erase_if(calls_, [](const auto& known) { return known.expired(); });
    calls_.push_back(call);
    server.Post([self = shared_from_this(), call] { self->Accept(call); });
    return call;
  }

  void Drain() {
    const std::lock_guard lock(mutex_);
    draining_ = true;
  }

  void Close() {
    std::vector<std::weak_ptr<Call>> calls;
    {
      std::unique_lock lock(mutex_);
      acceptor_ = nullptr;
      calls.swap(calls_);
      accepted_.wait(lock, [this] { return accepting_ == 0; });
    }
    for (const auto& known : calls) {
      if (const auto call = known.lock()) call->Break(Code::kUnavailable, kStopped);
    }
  }

 private:
  static constexpr const char* kStopped = "the service has stopped";

  bool Takes() const { return acceptor_ != nullptr && !draining_; }
  static void Refuse(Call& call) { call.Break(Code::kUnavailable, kStopped, true); }

  // On the loop of the side that listens. The lock is not held: what is accepted may run at once.
  void Accept(const std::shared_ptr<Call>& call) {
    std::unique_lock lock(mutex_);
    if (!Takes()) return Refuse(*call);
    if (call->over()) return;
    ++accepting_;
    transport::Acceptor& acceptor = *acceptor_;
    lock.unlock();
    acceptor.Accept(call->server());
    lock.lock();
    --accepting_;
    accepted_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable accepted_;
  transport::Acceptor* acceptor_;
  Runtime& runtime_;
  int accepting_ = 0;
  bool draining_ = false;
  std::vector<std::weak_ptr<Call>> calls_;
};

class Network {
 public:
  Result<std::string> Add(const std::string& wanted, std::shared_ptr<Port> port) {
    const auto parsed = ParseHostPort(wanted);
    if (!parsed) return Failure(parsed.error());
    const std::lock_guard lock(mutex_);
    std::string address = JoinHostPort("memory", parsed->port != 0 ? parsed->port : next_port_++);
    if (ports_.emplace(address, std::move(port)).second) return address;
    return Fails(
        Error(Code::kFailedPrecondition, "cannot listen on " + address + ": address already in use")
            .set_phase(Phase::kConfigure));
  }

  void Remove(const std::string& address) {
    const std::lock_guard lock(mutex_);
    ports_.erase(address);
  }

  std::shared_ptr<Port> Find(const std::string& address) {
    const std::lock_guard lock(mutex_);
    const auto found = ports_.find(address);
    return found == ports_.end() ? nullptr : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Port>> ports_;
  std::uint16_t next_port_ = 1;
};

namespace {

class Listener final : public transport::Listener {
 public:
  Listener(std::shared_ptr<Network> network, std::string address, std::shared_ptr<Port> port)
      : network_(std::move(network)), address_(std::move(address)), port_(std::move(port)) {}
  ~Listener() override {
    Drain();
    port_->Close();
  }

  std::string address() const override { return address_; }
  void Drain() override {
    network_->Remove(address_);
    port_->Drain();
  }
  bool quiet() const override { return true; }  // no line to say goodbye on

 private:
  std::shared_ptr<Network> network_;
  std::string address_;
  std::shared_ptr<Port> port_;
};

class Connection final : public transport::Connection {
 public:
  Connection(std::shared_ptr<Port> port, std::string peer, const transport::Limits& limits)
      : port_(std::move(port)), peer_(std::move(peer)), limits_(limits) {}

  bool alive() const override { return port_->open(); }
  bool usable() const override { return port_->open(); }

  transport::ClientStreamPtr Open(const transport::CallHead& head) override {
    return port_->Open(head, peer_, limits_)->client();
  }

 private:
  std::shared_ptr<Port> port_;
  std::string peer_;
  transport::Limits limits_;
};

class MemoryTransport final : public Transport {
 public:
  MemoryTransport(std::shared_ptr<Network> network, const TransportConfig& config)
      : network_(std::move(network)), runtime_(*config.runtime), limits_(config.limits) {}

  std::string_view name() const override { return "memory"; }

  Result<std::unique_ptr<transport::Listener>> Listen(const std::string& address,
                                                      transport::Acceptor& acceptor) override {
    auto port = std::make_shared<Port>(acceptor, runtime_);
    auto bound = network_->Add(address, port);
    if (!bound) return Failure(bound.error());
    return std::make_unique<Listener>(network_, *std::move(bound), std::move(port));
  }

  Task<Result<std::shared_ptr<transport::Connection>>> Dial(std::string address,
                                                            Duration /*timeout*/) override {
    auto port = network_->Find(address);
    if (port) co_return std::make_shared<Connection>(std::move(port), address, limits_);
    co_return Fails(
        Error(Code::kUnavailable, "cannot connect to " + address + ": nobody listens there")
            .set_phase(Phase::kConnect));
  }

 private:
  std::shared_ptr<Network> network_;
  Runtime& runtime_;
  transport::Limits limits_;
};

}  // namespace
}  // namespace memory

std::shared_ptr<memory::Network> MakeMemoryNetwork() { return std::make_shared<memory::Network>(); }

Result<std::shared_ptr<Transport>> MakeMemoryTransport(std::shared_ptr<memory::Network> network,
                                                       const TransportConfig& config) {
  return std::make_shared<memory::MemoryTransport>(std::move(network), config);
}

}  // namespace micro
