#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "natsd/client.h"
#include "natsd/memory_line.h"

namespace micro::natsd {

/// A client within the process, as the server sees it.
class MemoryClient final : public Client {
 public:
  MemoryClient(Engine& engine, Account& account, std::shared_ptr<MemoryLine> line);

  /// There is something on the line.
  void TakeIn();
  /// Callbacks have caught up.
  void OnCaughtUp() { Peer::OnRoom(); }

  bool in_process() const override { return true; }
  void OnClosed() override;

 private:
  // What callbacks may have before them when more is put there.
  static constexpr std::size_t kAhead = std::size_t{1} << 20U;
  // What is dealt with in one turn.
  static constexpr std::size_t kOfTurn = std::size_t{256} << 10U;

  std::string Info() const override { return {}; }
  void Pause() override { paused_ = true; }
  void Resume() override;
  void Flush() override;
  bool blocked() const override { return line_->waiting() > kAhead; }
  void TooMuch() override;
  void OnPing() override { ++pongs_; }
  void GoOn();

  std::shared_ptr<MemoryLine> line_;
  std::deque<MemoryLine::Batch> held_;
  std::size_t used_ = 0;  // of the first
  bool paused_ = false;
  std::uint64_t pongs_ = 0;
  std::uint64_t pongs_passed_on_ = 0;
  std::uint64_t messages_passed_on_ = 0;
};

}  // namespace micro::natsd
