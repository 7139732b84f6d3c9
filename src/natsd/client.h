#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "natsd/alarm.h"
#include "natsd/connect_options.h"
#include "natsd/parser.h"
#include "natsd/peer.h"
#include "natsd/permissions.h"
#include "natsd/plan.h"
#include "natsd/router.h"
#include "natsd/wire.h"

namespace micro::natsd {

struct Account;

/// The client protocol, on whatever carries its bytes.
class Client : public Peer {
 public:
  explicit Client(Engine& engine);
  ~Client() override;

  /// Ends a wait for a subscriber that had too much before it.
  void EndStall();
  /// Sends INFO again if the client wants that and has not seen this one.
  void TellInfo();
  bool MayReceive(const Subscription& subscription, std::string_view subject) const override;
  void Learn(std::string_view reply) override;
  void Complete(Subscription& subscription) override;
  void OnClosed() override;

  std::size_t subscriptions() const { return subscriptions_.size(); }
  virtual ClientStats Stats(bool subjects) const;
  virtual bool in_process() const { return false; }

 protected:
  /// What came; as Wire::Owner::OnInput.
  Wire::Taken Consume(const SlabRef& slab, std::string_view bytes);
  /// INFO's line.
  virtual std::string Info() const = 0;
  /// Takes no more input until Resume.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
  /// CONNECT was there, and was right.
  virtual void OnConnected() {}
  virtual void OnPong() {}
  virtual void OnPing() {}
  void TooMuch() override;

  /// Lets it do what `identity` may.
  void Admit(std::shared_ptr<const Identity> identity);
  /// From within the process: nothing is to be shown.
  void AdmitTo(Account& account, ConnectOptions options);
  bool connected() const { return connected_; }
  const ConnectOptions& options() const { return options_; }
  std::string nonce_;
  std::chrono::system_clock::time_point last_activity_;

 private:
  using Sid = std::string;
  using Subscriptions =
      std::unordered_map<Sid, std::unique_ptr<Subscription>, StringHash, std::equal_to<>>;

  bool MayGoOn() const { return !closing_ && !stalled_ && !identifying_; }
  bool IsStranger(std::string_view bytes) const;
  bool Handle(const Unit& unit, const SlabRef& slab);
  void Refuse(Outcome outcome);
  void Violate();

  void Connect(std::string_view json);
  void Identify();
  void OnIdentified(std::shared_ptr<const Identity> identity);
  void Welcome();
  void ReadEcho();

  void Publish(const Unit& unit, const SlabRef& slab);
  Plan& PlanFor(const Unit& unit);
  bool MayPublish(const Unit& unit);
  bool AllowedToPublish(std::string_view subject);
  void SayNobody(std::string_view reply);
  void WaitFor(Peer& crowded);

  void Subscribe(std::string_view args);
  bool MaySubscribe(std::string_view subject, std::string_view queue);
  void Unsubscribe(std::string_view args);
  void Remove(Subscriptions::iterator at);
  void Ping();
  void SayOk() {
    if (options_.verbose) Send("+OK\r\n");
  }
  void Trace(const Unit& unit);

  ConnectOptions options_;
  Account* account_;
  std::shared_ptr<const Identity> identity_;
  std::optional<ResponseLeaves> leaves_;
  std::unordered_map<std::string, bool, StringHash, std::equal_to<>> may_publish_;  // asked before
  Subscriptions subscriptions_;
  ParserLimits limits_;

  // The subject that was published to last, and its plan while that is good.
  std::string last_subject_;
  Plan* last_plan_ = nullptr;
  std::uint64_t last_epoch_ = 0;

  bool connected_ = false;
  bool known_ = false;        // it may do more than CONNECT
  bool identifying_ = false;  // a password is being checked elsewhere
  bool restricted_ = false;   // not everything may be published
  bool plain_ = false;        // neither verbose nor pedantic, restricted or traced
  bool stalled_ = false;
  int stalls_left_ = 0;  // in what was read last
  bool ponged_ = false;
  std::uint64_t info_seen_ = 0;
  Alarm stall_end_;
  std::string canonical_;  // scratch
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace micro::natsd
