#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace micro {

/// Appends `bytes` in base64 with padding, as RFC 4648 has it in section 4.
void AppendBase64(std::string_view bytes, std::string& text);

/// The bytes of a base64 text with padding; line breaks are passed over, as Go does. Nothing for
/// what is no base64.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace micro
