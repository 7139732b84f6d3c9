#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "micro/error.h"

namespace micro {

/// Appends `bytes` to `out` in gzip's format (RFC 1952).
void Gzip(std::string_view bytes, std::string& out);

/// Undoes it. INVALID_ARGUMENT for bytes that are no whole gzip member and nothing else,
/// RESOURCE_EXHAUSTED as soon as more than `most` bytes come out.
Result<std::string> Gunzip(std::string_view bytes, std::size_t most);

}  // namespace micro
