#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "micro/error.h"

namespace micro::dns {

/// A domain name: at most 127 labels of 1 to 63 octets, 255 octets on the wire (RFC 1035, 3.1).
///
/// Kept as it is on the wire, uncompressed and with the root label, so that a dot inside a label
/// stays distinct from one between labels. Compares octet by octet: go-micro tells "Foo" from
/// "foo".
class Name {
 public:
  static constexpr std::size_t kMaxOctets = 255;
  static constexpr std::size_t kMaxLabel = 63;

  /// The root.
  Name() = default;

  /// The labels that stand between the dots of `text`; one dot at the end is allowed.
  /// INVALID_ARGUMENT for an empty label, one of more than 63 octets, and more than 255 in all.
  static Result<Name> FromText(std::string_view text);

  /// The labels joined by dots, without a dot at the end and without escapes: go-micro's spelling
  /// of service names and node ids. The root is empty.
  std::string ToText() const;

  /// Length octets and labels, the root label at the end.
  const std::string& wire() const { return wire_; }
  bool is_root() const { return wire_.size() == 1; }
  /// The octets of the first label; empty for the root.
  std::string_view FirstLabel() const;

  /// Appends a label. False, and nothing changed, when the label or the name would be too long.
  bool Append(std::string_view label);
  /// This name followed by `suffix`; INVALID_ARGUMENT when that is too long.
  Result<Name> Under(const Name& suffix) const;
  /// What stands before `suffix`; the root when this is `suffix` itself or does not end in it.
  Name Before(const Name& suffix) const;

  bool operator==(const Name&) const = default;
  auto operator<=>(const Name&) const = default;

 private:
  std::string wire_ = std::string(1, '\0');
};

}  // namespace micro::dns
