#pragma once

#include <cstddef>
#include <functional>

#include "natsd/alarm.h"

namespace micro::natsd {

class Engine;

/// A server that is about to go: its clients are told, have some time, and are then closed one by
/// one, lest all of them connect elsewhere at once.
class LameDuck {
 public:
  LameDuck(Engine& engine, std::function<void()> done);

  /// Once the server counts as a lame duck.
  void Begin();

 private:
  void CloseOne();
  void Finish();

  Engine& engine_;
  std::function<void()> done_;
  Duration step_{};
  Alarm next_;
};

}  // namespace micro::natsd
