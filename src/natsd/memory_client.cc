#include "natsd/memory_client.h"

#include <utility>

#include "natsd/engine.h"

namespace micro::natsd {

MemoryClient::MemoryClient(Engine& engine, Account& account, std::shared_ptr<MemoryLine> line)
    : Client(engine), line_(std::move(line)) {
  shares_ = false;  // it is copied to another thread anyhow
  const InProcessOptions& options = line_->options();
  AdmitTo(account, {.verbose = false,
                    .pedantic = false,
                    .echo = options.echo,
                    .headers = true,
                    .no_responders = options.no_responders,
                    .name = options.name,
                    .lang = "c++"});
}

void MemoryClient::TakeIn() {
  for (MemoryLine::Batch& batch : line_->Take()) held_.push_back(std::move(batch));
  GoOn();
}

// Some of it now, the rest in the next turn: others want their turn too.
void MemoryClient::GoOn() {
  std::size_t done = 0;
  while (!held_.empty() && !paused_ && !closing() && done < kOfTurn) {
    const MemoryLine::Batch& batch = held_.front();
    const std::string_view bytes(batch.slab->data() + used_, batch.size - used_);
    const std::size_t used = Consume(batch.slab, bytes).used;
    used_ += used;
    done += used;
    if (used_ < batch.size) break;  // paused, or what came is wrong and it closes
    held_.pop_front();
    used_ = 0;
  }
  line_->Taken(done);
  if (held_.empty() || paused_ || closing()) return;
  engine().loop().Post([line = line_] { line->TellServer(); });
}

void MemoryClient::Resume() {
  paused_ = false;
  GoOn();
}

void MemoryClient::Flush() {
  if (out_.empty()) return;
  line_->Arrive(out_);
  out_.Clear();
  pongs_passed_on_ = pongs_;
  messages_passed_on_ = traffic_.out_messages;
  if (blocked()) line_->CallForRoom();
}

// Callbacks are too slow. The client stays, but what waits here is lost to it.
void MemoryClient::TooMuch() {
  if (traffic_.out_messages == messages_passed_on_) return;
  ++engine().counters().slow_consumers;
  const std::uint64_t lost = traffic_.out_messages - messages_passed_on_;
  engine().counters().dropped += lost;
  line_->Drop(lost);
  engine().Log(LogLevel::kWarn, "slow consumer: client " + std::to_string(id()) +
                                    " within the process loses " + std::to_string(lost) +
                                    " messages");
  messages_passed_on_ = traffic_.out_messages;
  out_.Clear();
  for (std::uint64_t i = pongs_passed_on_; i < pongs_; ++i) out_.Append("PONG\r\n");
}

void MemoryClient::OnClosed() {
  line_->End();
  Client::OnClosed();
}

}  // namespace micro::natsd
