#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace micro::discovery {

/// How many calls a client has under way at each node of a service, up to a limit. Thread-safe.
class NodeCalls : public std::enable_shared_from_this<NodeCalls> {
 public:
  /// A call's place at a node, until it is destroyed.
  class Place {
   public:
    Place() = default;
    Place(std::shared_ptr<NodeCalls> calls, std::string id)
        : calls_(std::move(calls)), id_(std::move(id)) {}
    Place(Place&&) = default;
    Place& operator=(Place&& other) noexcept {
      Leave();
      calls_ = std::move(other.calls_);
      id_ = std::move(other.id_);
      return *this;
    }
    ~Place() { Leave(); }

   private:
    void Leave() {
      if (const auto calls = std::move(calls_)) calls->Leave(id_);
    }

    std::shared_ptr<NodeCalls> calls_;
    std::string id_;
  };

  explicit NodeCalls(std::uint64_t most) : most_(most) {}

  std::uint64_t most() const { return most_; }
  /// A place at a node, if there is one.
  std::optional<Place> Enter(const std::string& id);
  /// Calls at a node.
  std::uint64_t At(const std::string& id) const;

 private:
  void Leave(const std::string& id);

  const std::uint64_t most_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::uint64_t> calls_;  // by id; of nodes that have any
};

}  // namespace micro::discovery
