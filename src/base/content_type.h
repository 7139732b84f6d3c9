#pragma once

#include <string>
#include <string_view>

namespace micro {

/// A content type without parameters such as "; charset=utf-8", in lower case.
std::string PlainContentType(std::string_view content_type);

}  // namespace micro
