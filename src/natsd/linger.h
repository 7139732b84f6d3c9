#pragma once

#include <sys/types.h>

#include "natsd/alarm.h"
#include "natsd/loop.h"

namespace micro::natsd {

class Engine;

/// A socket that is to be closed once the other side has read why: closing with bytes unread would
/// take back what was written.
class Linger final : public Watch {
 public:
  Linger(Engine& engine, int descriptor);
  ~Linger();
  Linger(const Linger&) = delete;
  Linger& operator=(const Linger&) = delete;

  void OnEvents(std::uint32_t events) override;

 private:
  void End();

  Engine& engine_;
  int descriptor_;
  std::size_t ignored_ = 0;  // bytes that came all the same
  Alarm end_;
};

}  // namespace micro::natsd
