#include "client/pool.h"

#include <utility>

namespace micro::client {

std::shared_ptr<transport::Connection> Pool::Ready(const std::string& address) {
  const auto line = lines_.find(address);
  if (line == lines_.end()) return nullptr;
  std::shared_ptr<transport::Connection> full;
  std::size_t alive = 0;
  for (Kept& kept : line->second.connections) {
    kept.used = true;
    if (kept.connection->usable()) return kept.connection;
    if (!kept.connection->alive()) continue;
    full = kept.connection;
    ++alive;
  }
  return alive >= options_.most ? full : nullptr;
}

// Many may wait for one dial: those whom the new connection has no room for go on to the next one.
Task<Result<std::shared_ptr<transport::Connection>>> Pool::Get(std::string address,
                                                               runtime::Patience patience) {
  while (true) {
    if (auto ready = Ready(address)) co_return ready;
    if (closed_) co_return Cancelled("the client is closed");
    std::shared_ptr<Dial> dial = lines_[address].dial;
    if (!dial) {
      dial = lines_[address].dial = std::make_shared<Dial>();
      Connect(shared_from_this(), address, dial);
    }
    runtime::Signal::Awaiter awaiter(dial->done, patience);
    const bool in_time = co_await awaiter;
    if (!in_time) {
      co_return Fails(Error(Code::kDeadlineExceeded,
                            "the call's deadline passed while connecting to " + address)
                          .set_phase(Phase::kConnect));
    }
    if (!dial->outcome) co_return Failure(dial->outcome.error());
    if (!dial->connection->alive()) {
      co_return Fails(Error(Code::kUnavailable, address + " closed the connection at once")
                          .set_phase(Phase::kConnect));
    }
  }
}

// Holds on to the pool: a dial may take longer than its client lives.
internal::Detached Pool::Connect(std::shared_ptr<Pool> self, std::string address,
                                 std::shared_ptr<Dial> dial) {
  auto connection = co_await self->transport_->Dial(address, self->options_.dial_timeout);
  self->OnDialled(address, *dial, std::move(connection));
}

void Pool::OnDialled(const std::string& address, Dial& dial,
                     Result<std::shared_ptr<transport::Connection>> connection) {
  if (closed_) connection = Cancelled("the client is closed");
  Line& line = lines_[address];
  std::erase_if(line.connections, [](const Kept& kept) {
    return kept.connection.use_count() == 1 && !kept.connection->alive();
  });
  if (connection) {
    dial.connection = *connection;
    line.connections.push_back({*std::move(connection)});
    SweepLater();
  } else {
    dial.outcome = Failure(connection.error());
  }
  line.dial = nullptr;
  dial.done.Set();
}

void Pool::SweepLater() {
  if (options_.idle_time == Duration::zero() || std::exchange(sweeping_, true)) return;
  EventLoop::Current()->PostAfter(options_.idle_time, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Sweep();
  });
}

// A connection that is idle now and was at the last sweep has had its time.
void Pool::Sweep() {
  sweeping_ = false;
  std::vector<std::shared_ptr<transport::Connection>> idle;
  for (auto& [address, line] : lines_) {
    std::erase_if(line.connections, [&](Kept& kept) {
      const bool unused = kept.connection.use_count() == 1 && !std::exchange(kept.used, false);
      if (unused) idle.push_back(kept.connection);
      return unused;
    });
  }
  std::erase_if(lines_, [](const auto& item) {
    return item.second.connections.empty() && !item.second.dial;
  });
  if (!lines_.empty()) SweepLater();
}

}  // namespace micro::client
