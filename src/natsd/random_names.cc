#include "natsd/random_names.h"

#include <random>
#include <string_view>

namespace micro::natsd {
namespace {

std::string Draw(std::size_t size, std::string_view letters) {
  std::random_device device;
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += letters[device() % letters.size()];
  return text;
}

}  // namespace

std::string NewServerId() {
  constexpr std::size_t kSize = 55;
  return "N" + Draw(kSize, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}

std::string NewSecret(std::size_t size) {
  return Draw(size, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

}  // namespace micro::natsd
