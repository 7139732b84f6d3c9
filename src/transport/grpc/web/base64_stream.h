#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace micro::web {

/// Decodes base64 that comes in pieces. What is behind padding begins anew, as those who encode
/// each message by itself write it.
class Base64Stream {
 public:
  /// The bytes that are complete now; nothing for what is no base64.
  std::optional<std::string> Decode(std::string_view text);
  /// Whether characters wait for others.
  bool within() const { return !rest_.empty(); }

 private:
  std::string rest_;
};

}  // namespace micro::web
