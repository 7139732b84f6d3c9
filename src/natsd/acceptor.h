#pragma once

#include <cstdint>
#include <functional>

#include "natsd/alarm.h"
#include "natsd/loop.h"

namespace micro::natsd {

class Engine;

/// A port that is listened on.
class Acceptor final : public Watch {
 public:
  /// `descriptor` listens already; `accepted` gets the descriptor of each that connects.
  Acceptor(Engine& engine, int descriptor, std::function<void(int)> accepted);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  std::uint16_t port() const { return port_; }
  void Start();
  /// Listens no more.
  void Close();
  void OnEvents(std::uint32_t events) override;

 private:
  Engine& engine_;
  int descriptor_;
  std::uint16_t port_;
  std::function<void(int)> accepted_;
  Alarm rest_;
};

}  // namespace micro::natsd
