#pragma once

#include <cstdint>
#include <string_view>

namespace micro::natsd {

/// Whether no token is empty: only then a message to `subject` reaches anybody.
bool HasWholeTokens(std::string_view subject);

/// The part ahead of the first dot.
inline std::string_view FirstToken(std::string_view subject) {
  return subject.substr(0, subject.find('.'));
}

std::size_t CountTokens(std::string_view subject);

/// A number for `bytes`, different in each process: nobody can choose subjects that collide.
std::uint64_t HashOf(std::string_view bytes);

/// For maps of strings that are asked with views.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return HashOf(text); }
};

}  // namespace micro::natsd
