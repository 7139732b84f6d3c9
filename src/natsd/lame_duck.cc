#include "natsd/lame_duck.h"

#include <algorithm>
#include <utility>

#include "natsd/client.h"
#include "natsd/engine.h"

namespace micro::natsd {
namespace {

constexpr std::chrono::seconds kLongestStep{1};

}  // namespace

LameDuck::LameDuck(Engine& engine, std::function<void()> done)
    : engine_(engine), done_(std::move(done)), next_([this] { CloseOne(); }) {}

// Those within the process stay until the end: they have nowhere to go.
void LameDuck::Begin() {
  const Options& options = engine_.options();
  const auto clients = static_cast<std::int64_t>(engine_.CountSockets());
  if (clients == 0) return Finish();
  const Duration left =
      std::max<Duration>(options.lame_duck_duration - options.lame_duck_grace, Duration::zero());
  step_ = std::min<Duration>(left / clients, kLongestStep);
  engine_.loop().Arm(next_, options.lame_duck_grace);
}

void LameDuck::CloseOne() {
  for (auto& [id, client] : engine_.clients()) {
    if (client->in_process() || client->closing()) continue;
    client->Close("Server Shutdown");
    return engine_.loop().Arm(next_, step_);
  }
  Finish();
}

void LameDuck::Finish() {
  if (auto done = std::exchange(done_, nullptr)) done();
}

}  // namespace micro::natsd
