#pragma once

#include <string_view>

namespace micro {

/// Whether `text` is UTF-8, without surrogates and overlong forms.
bool IsUtf8(std::string_view text);

}  // namespace micro
