#include "client/pool.h"

#include <utility>

namespace micro::client {

std::shared_ptr<transport::Connection> Pool::Ready(const std::string& address) {
  const auto line = lines_.find(address);
  if (line == lines_.end()) return nullptr;
  for (const auto& connection : line->second.connections) {
    if (connection->usable()) return connection;
  }
  return nullptr;
}

Task<Result<std::shared_ptr<transport::Connection>>> Pool::Get(std::string address,
                                                               runtime::Patience patience) {
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
    co_return Fails(
        Error(Code::kDeadlineExceeded, "the call's deadline passed while connecting to " + address)
            .set_phase(Phase::kConnect));
  }
  if (!dial->outcome) co_return Failure(dial->outcome.error());
  if (auto ready = Ready(address)) co_return ready;
  co_return Fails(Error(Code::kUnavailable, address + " closed the connection at once")
                      .set_phase(Phase::kConnect));
}

// Holds on to the pool: a dial may take longer than its client lives.
internal::Detached Pool::Connect(std::shared_ptr<Pool> self, std::string address,
                                 std::shared_ptr<Dial> dial) {
  auto connection = co_await self->transport_->Dial(address, self->dial_timeout_);
  self->OnDialled(address, *dial, std::move(connection));
}

void Pool::OnDialled(const std::string& address, Dial& dial,
                     Result<std::shared_ptr<transport::Connection>> connection) {
  if (closed_) connection = Cancelled("the client is closed");
  Line& line = lines_[address];
  std::erase_if(line.connections,
                [](const auto& old) { return old.use_count() == 1 && !old->usable(); });
  if (connection) {
    line.connections.push_back(*std::move(connection));
  } else {
    dial.outcome = Failure(connection.error());
  }
  line.dial = nullptr;
  dial.done.Set();
}

}  // namespace micro::client
