#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "micro/error.h"
#include "micro/registry.h"

namespace micro {

/// How a call on a picked node went, as far as the node's health goes.
enum class Outcome : std::uint8_t {
  kAnswered,     ///< it answered, be it with an error of its own
  kUnreachable,  ///< no connection, or the connection broke
  kTimedOut,     ///< no answer before the deadline
  kAbandoned,    ///< the caller lost interest; says nothing about the node
};

/// What a selector may go by.
struct PickContext {
  /// Ids of the nodes that this call has tried already; they are not to be picked again.
  std::span<const std::string> tried = {};
  /// The path that is called, such as "/helloworld.Greeter/Hello".
  std::string_view path = {};
};

/// A node that was picked. Its outcome is reported to the selector exactly once: by Report, or as
/// kAbandoned when the value is destroyed without.
class Pick {
 public:
  using Reporter = std::move_only_function<void(Outcome)>;

  explicit Pick(std::shared_ptr<const Node> node, Reporter reporter = {})
      : node_(std::move(node)), reporter_(std::move(reporter)) {}
  Pick(Pick&& other) noexcept
      : node_(std::move(other.node_)), reporter_(std::exchange(other.reporter_, nullptr)) {}
  Pick& operator=(Pick&&) = delete;
  ~Pick() { Report(Outcome::kAbandoned); }

  const Node& node() const { return *node_; }
  void Report(Outcome outcome) {
    if (auto reporter = std::exchange(reporter_, nullptr)) reporter(outcome);
  }

 private:
  std::shared_ptr<const Node> node_;
  Reporter reporter_;
};

/// Spreads the calls to one service over its nodes. Thread-safe, and on the hot path: it never
/// blocks. One object serves one service, for all calls of a client.
class Selector {
 public:
  virtual ~Selector() = default;

  /// Replaces the nodes to pick from.
  virtual void Update(std::vector<Node> nodes) = 0;

  /// One node that was not tried yet. UNAVAILABLE when there is none.
  virtual Result<Pick> Select(const PickContext& context) = 0;
};

}  // namespace micro
