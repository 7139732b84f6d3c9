#pragma once

#include <string_view>

namespace micro::natsd {

/// Whether `subject` may be subscribed to: tokens between dots, none of them empty and none with
/// white space, and ">" only as the last.
bool IsPattern(std::string_view subject);

/// Whether a token of `subject` is a wildcard, "*" or ">".
bool HasWildcard(std::string_view subject);

/// Whether `pattern` matches every subject that `subject` stands for; `subject` may itself have
/// wildcards ("foo.*" is within "foo.>", which is not within "foo.*").
bool Covers(std::string_view pattern, std::string_view subject);

/// Whether some subject matches both patterns.
bool Overlap(std::string_view one, std::string_view other);

}  // namespace micro::natsd
