#pragma once

#include <string>
#include <string_view>

#include "micro/registry.h"

namespace micro::embedded {

/// What programs that share a secret know each other by. The secret itself is shown to nobody.
///
/// A route is dialled by whoever finds a record in the registry, where anybody may write: a record
/// therefore carries a proof, made of the secret for this very id and address. Only to one who has
/// proved it is the password of routes shown.
class Secret {
 public:
  explicit Secret(std::string secret) : secret_(std::move(secret)) {}

  bool empty() const { return secret_.empty(); }
  /// Who routes say they are; empty without a secret.
  std::string user() const { return empty() ? "" : "micro"; }
  std::string password() const { return empty() ? "" : Of("route"); }

  /// Adds the proof to a record's node.
  void Prove(Node& node) const;
  /// Whether it is there; without a secret anybody is believed.
  bool IsProved(const Node& node) const;

 private:
  std::string Of(std::string_view text) const;

  const std::string secret_;
};

}  // namespace micro::embedded
