#include "base/utf8.h"

#include <cstddef>
#include <cstdint>

namespace micro {
namespace {

// How many bytes the character has that begins with `first`; 0: none begins so.
std::size_t Length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

bool IsCharacter(std::string_view bytes) {
  std::uint32_t point = static_cast<unsigned char>(bytes[0]) & (0xffU >> (bytes.size() + 1));
  for (const char byte : bytes.substr(1)) {
    const auto bits = static_cast<unsigned char>(byte);
    if ((bits & 0xc0U) != 0x80U) return false;
    point = (point << 6U) | (bits & 0x3fU);
  }
  if (bytes.size() == 3) return point >= 0x800 && (point < 0xd800 || point > 0xdfff);
  return bytes.size() < 4 || (point >= 0x10000 && point <= 0x10ffff);
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = Length(static_cast<unsigned char>(text[0]));
    if (length == 0 || length > text.size()) return false;
    if (length > 1 && !IsCharacter(text.substr(0, length))) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace micro
