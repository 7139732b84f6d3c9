#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

// What the fuzz targets share.

/// Ends the run, and so reports the input, when `condition` does not hold.
inline void Expect(bool condition) {
  if (!condition) std::abort();
}

inline std::string_view AsText(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}
