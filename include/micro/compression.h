#pragma once

#include <cstdint>

namespace micro {

/// How messages are packed on the wire.
enum class Compression : std::uint8_t { kNone, kGzip };

}  // namespace micro
