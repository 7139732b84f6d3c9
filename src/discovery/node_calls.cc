#include "discovery/node_calls.h"

namespace micro::discovery {

std::optional<NodeCalls::Place> NodeCalls::Enter(const std::string& id) {
  const std::lock_guard lock(mutex_);
  std::uint64_t& calls = calls_[id];
  if (calls >= most_) return std::nullopt;
  ++calls;
  return Place(shared_from_this(), id);
}

std::uint64_t NodeCalls::At(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(id);
  return found != calls_.end() ? found->second : 0;
}

void NodeCalls::Leave(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(id);
  if (--found->second == 0) calls_.erase(found);
}

}  // namespace micro::discovery
