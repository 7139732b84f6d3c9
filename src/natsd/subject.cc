#include "natsd/subject.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace micro::natsd {
namespace {

std::uint64_t Seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}
const std::uint64_t kSeed = Seed() | 1U;

// Both halves of a product, folded: every bit of either factor reaches every bit of the outcome.
std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t Word(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

}  // namespace

std::uint64_t HashOf(std::string_view bytes) {
  constexpr std::uint64_t kOdd = 0xd1342543de82ef95;
  std::uint64_t state = kSeed ^ (bytes.size() * kOdd);
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) state = Mix(state ^ Word(at), kOdd ^ kSeed);
  std::uint64_t rest = 0;
  if (left != 0) std::memcpy(&rest, at, left);
  return Mix(state ^ rest, kSeed ^ 0x9e3779b97f4a7c15);
}

bool HasWholeTokens(std::string_view subject) {
  if (subject.empty() || subject.front() == '.' || subject.back() == '.') return false;
  return subject.find("..") == std::string_view::npos;
}

std::size_t CountTokens(std::string_view subject) {
  return 1 + static_cast<std::size_t>(std::count(subject.begin(), subject.end(), '.'));
}

}  // namespace micro::natsd
