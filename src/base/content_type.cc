#include "base/content_type.h"

#include <algorithm>
#include <cctype>

namespace micro {

std::string PlainContentType(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  content_type = content_type.substr(0, content_type.find_last_not_of(" \t") + 1);
  std::string plain(content_type);
  std::transform(plain.begin(), plain.end(), plain.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return plain;
}

}  // namespace micro
