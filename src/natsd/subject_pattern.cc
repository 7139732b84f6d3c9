#include "natsd/subject_pattern.h"

namespace micro::natsd {
namespace {

// The tokens of a subject, one after another.
class Tokens {
 public:
  explicit Tokens(std::string_view subject) : rest_(subject) {}

  bool done() const { return done_; }

  std::string_view Next() {
    const auto dot = rest_.find('.');
    const std::string_view token = rest_.substr(0, dot);
    done_ = dot == std::string_view::npos;
    rest_ = done_ ? std::string_view() : rest_.substr(dot + 1);
    return token;
  }

 private:
  std::string_view rest_;
  bool done_ = false;
};

}  // namespace

bool IsPattern(std::string_view subject) {
  if (subject.find_first_of(" \t\r\n\f") != std::string_view::npos) return false;
  Tokens tokens(subject);
  while (!tokens.done()) {
    const std::string_view token = tokens.Next();
    if (token.empty() || (token == ">" && !tokens.done())) return false;
  }
  return true;
}

bool HasWildcard(std::string_view subject) {
  Tokens tokens(subject);
  while (!tokens.done()) {
    const std::string_view token = tokens.Next();
    if (token == "*" || token == ">") return true;
  }
  return false;
}

bool Covers(std::string_view pattern, std::string_view subject) {
  Tokens wide(pattern);
  Tokens narrow(subject);
  while (!wide.done()) {
    if (narrow.done()) return false;
    const std::string_view token = wide.Next();
    if (token == ">") return true;
    const std::string_view other = narrow.Next();
    if (token == "*" ? other == ">" : token != other) return false;
  }
  return narrow.done();
}

bool Overlap(std::string_view one, std::string_view other) {
  Tokens left(one);
  Tokens right(other);
  while (!left.done() && !right.done()) {
    const std::string_view a = left.Next();
    const std::string_view b = right.Next();
    if (a == ">" || b == ">") return true;
    if (a != "*" && b != "*" && a != b) return false;
  }
  return left.done() && right.done();
}

}  // namespace micro::natsd
