#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "micro/duration.h"
#include "micro/error.h"
#include "micro/registry.h"

namespace micro {

/// A node, shared by all who know it.
using NodePtr = std::shared_ptr<const Node>;

/// How a call on a picked node went, as far as the node's health goes.
enum class Outcome : std::uint8_t {
  kAnswered,     ///< it answered, be it with an error of its own
  kUnreachable,  ///< no connection, or the connection broke
  kTimedOut,     ///< no answer before the deadline
  kRefused,      ///< it answered that it cannot serve now
  kAbandoned,    ///< the caller lost interest; says nothing about the node
};

/// What a call is about, such as a user's name or number: for selectors that send calls about the
/// same to the same node. Only a number made from it is kept, the same in every process.
class RoutingKey {
 public:
  constexpr RoutingKey() = default;
  template <typename Text>
    requires std::convertible_to<const Text&, std::string_view>
  // NOLINTNEXTLINE(google-explicit-constructor): options are written {.key = user}
  constexpr RoutingKey(const Text& text) : RoutingKey(Scatter(Digest(text)), true) {}
  // NOLINTNEXTLINE(google-explicit-constructor): as above
  constexpr RoutingKey(std::integral auto number)
      : RoutingKey(Scatter(static_cast<std::uint64_t>(number) + kOffset), true) {}

  constexpr bool given() const { return given_; }
  constexpr std::uint64_t hash() const { return hash_; }

 private:
  constexpr RoutingKey(std::uint64_t hash, bool given) : hash_(hash), given_(given) {}

  // FNV-1a, whose own bits are not even enough to be places on a ring.
  static constexpr std::uint64_t kOffset = 0xcbf29ce484222325;
  static constexpr std::uint64_t Digest(std::string_view text) {
    std::uint64_t hash = kOffset;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
  }
  // The finish of MurmurHash3: each bit of the input reaches each of the output.
  static constexpr std::uint64_t Scatter(std::uint64_t hash) {
    hash = (hash ^ (hash >> 33U)) * 0xff51afd7ed558ccd;
    hash = (hash ^ (hash >> 33U)) * 0xc4ceb9fe1a85ec53;
    return hash ^ (hash >> 33U);
  }

  std::uint64_t hash_ = 0;
  bool given_ = false;
};

/// What a selector may go by.
struct PickContext {
  /// Ids of the nodes that this call has tried already; they are not to be picked again.
  std::span<const std::string> tried = {};
  /// The path that is called, such as "/helloworld.Greeter/Hello".
  std::string_view path = {};
  /// What the call is about, if its caller has said.
  RoutingKey key = {};
};

/// A node that was picked. Its outcome is told to the selector exactly once: by Report, or as
/// kAbandoned when the value is destroyed without. Costs no memory of its own.
class Pick {
 public:
  /// Who wants to know how a pick went.
  class Listener {
   public:
    /// From any thread.
    virtual void Ended(Outcome outcome) noexcept = 0;

   protected:
    ~Listener() = default;
  };

  /// `listener` must live as long as `node`, for which a shared_ptr may own both.
  explicit Pick(NodePtr node, Listener* listener = nullptr)
      : node_(std::move(node)), listener_(listener) {}
  Pick(Pick&& other) noexcept
      : node_(std::move(other.node_)), listener_(std::exchange(other.listener_, nullptr)) {}
  Pick& operator=(Pick&&) = delete;
  ~Pick() { Report(Outcome::kAbandoned); }

  const Node& node() const { return *node_; }
  const NodePtr& shared_node() const { return node_; }
  void Report(Outcome outcome) {
    if (auto* listener = std::exchange(listener_, nullptr)) listener->Ended(outcome);
  }

 private:
  NodePtr node_;
  Listener* listener_;
};

/// Spreads the calls to one service over its nodes. Thread-safe, and on the hot path: it never
/// blocks. One object serves one service, for all calls of a client.
class Selector {
 public:
  virtual ~Selector() = default;

  /// Replaces the nodes to pick from; their ids differ. What is known of nodes that stay, such as
  /// calls under way, is kept. A node's metadata may have "weight", a number: its share of the
  /// calls beside the others', which have 1.
  virtual void Update(std::span<const NodePtr> nodes) = 0;

  /// One node that was not tried yet. UNAVAILABLE when there is none.
  virtual Result<Pick> Select(const PickContext& context) = 0;

  /// Calls under way at a node, by its id, for people to look at; nothing where they are not
  /// counted.
  virtual std::optional<std::uint32_t> InFlight(const std::string& id) const {
    (void)id;
    return std::nullopt;
  }
};

/// Asks nodes how much they have to do, for selectors that go by what others send them as well.
/// Thread-safe; never blocks.
class LoadProber {
 public:
  /// Takes the calls that a node has under way, this question left out, or why they are not known:
  /// UNIMPLEMENTED from a node that does not tell. Any thread may run it.
  using Told = std::move_only_function<void(Result<std::uint32_t> in_flight)>;

  virtual ~LoadProber() = default;
  /// Asks `node` over the connections of the loop that this thread is. `told` is run once, within a
  /// second or so.
  virtual void Ask(const Node& node, Told told) = 0;
};

/// What a selector is made from.
struct SelectorConfig {
  /// How long it takes a node that is new among others to get its full share of the calls; zero: it
  /// has it at once.
  Duration slow_start = {};
  /// Whom it may have nodes asked by; null: nobody.
  std::shared_ptr<LoadProber> prober = {};
};

}  // namespace micro
