#include "client/race.h"

#include <algorithm>
#include <utility>

#include "client/readable.h"

namespace micro::client {

void Race::Start(NodePtr node) { Run(shared_from_this(), &runners_.emplace_back(std::move(node))); }

internal::Detached Race::Run(std::shared_ptr<Race> self, Runner* runner) {
  co_await self->Exchange(runner);
  runner->over = true;
  if (const auto changed = std::exchange(self->changed_, nullptr)) changed->Set();
}

Task<void> Race::Exchange(Runner* runner) {
  const auto connection = co_await Connect(runner);
  if (!connection) co_return;
  const runtime::Patience patience{.deadline = deadline_, .interrupter = &runner->interrupter};
  head_.authority = runner->node->address;
  runner->stream = connection->Open(head_);
  std::string request = request_;
  runner->stream->Write(request);
  runner->stream->CloseSend();
  while (true) {
    Readable readable(*runner->stream, runner->answer, patience);
    const transport::Read read = co_await readable;
    if (read == transport::Read::kPending) {
      runner->stream.reset();
      co_return;
    }
    if (read == transport::Read::kEnd) break;
    if (++runner->answers > 1) break;
  }
  runner->ended = true;
}

Task<std::shared_ptr<transport::Connection>> Race::Connect(Runner* runner) {
  const runtime::Patience patience{.deadline = deadline_, .interrupter = &runner->interrupter};
  std::shared_ptr<transport::Connection> connection = pool_->Ready(runner->node->address);
  if (connection) co_return connection;
  auto dialled = co_await pool_->Get(runner->node->address, patience);
  if (dialled) co_return *std::move(dialled);
  if (!patience.over()) runner->connected = Failure(dialled.error());
  co_return nullptr;
}

Race::Runner* Race::Unseen() {
  const auto found = std::ranges::find_if(
      runners_, [](const Runner& runner) { return runner.over && !runner.seen; });
  if (found == runners_.end()) return nullptr;
  found->seen = true;
  return &*found;
}

Task<Race::Runner*> Race::Next(runtime::Patience patience) {
  if (Runner* const over = Unseen()) co_return over;
  const auto changed = changed_ = std::make_shared<runtime::Signal>();
  runtime::Signal::Awaiter awaiter(*changed, patience);
  const bool in_time = co_await awaiter;
  co_return in_time ? Unseen() : nullptr;
}

bool Race::running() const {
  return std::ranges::any_of(runners_, [](const Runner& runner) { return !runner.over; });
}

void Race::Stop() {
  for (Runner& runner : runners_) {
    if (!runner.over) runner.interrupter.Pull();
  }
}

}  // namespace micro::client
