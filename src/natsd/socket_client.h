#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "natsd/client.h"
#include "natsd/wire.h"

namespace micro::natsd {

/// A client that has connected to the client port.
class SocketClient final : public Client, private Wire::Owner {
 public:
  SocketClient(Engine& engine, int descriptor);

  /// Says INFO, and begins to listen.
  void Start();
  /// Tells it that there are too many, and closes.
  void TurnAway();

  ClientStats Stats(bool subjects) const override;
  void OnClosed() override;

 private:
  std::string Info() const override;
  void Pause() override { wire_.Pause(); }
  void Resume() override { wire_.Resume(); }
  void OnConnected() override;
  void OnPong() override;
  void Flush() override { wire_.Write(out_); }
  bool blocked() const override { return wire_.blocked(); }

  Wire::Taken OnInput(const SlabRef& slab, std::string_view bytes) override {
    heard_ = true;
    return Consume(slab, bytes);
  }
  void OnRoom() override { Peer::OnRoom(); }
  void OnLost(std::string_view reason) override;

  void StartTls();
  void SendPing();
  void ArmPing(Duration delay);

  Wire wire_;
  const std::chrono::system_clock::time_point start_;
  Alarm auth_timeout_;
  Alarm ping_;
  int pings_out_ = 0;
  bool heard_ = false;  // something, since the last ping was due
  bool measured_ = false;
  TimePoint ping_sent_{};
  Duration rtt_{};
};

}  // namespace micro::natsd
