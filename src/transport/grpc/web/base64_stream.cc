#include "transport/grpc/web/base64_stream.h"

#include <algorithm>

#include "transport/grpc/wire.h"

namespace micro::web {

std::optional<std::string> Base64Stream::Decode(std::string_view text) {
  constexpr std::size_t kGroup = 4;
  rest_ += text;
  std::string_view whole = std::string_view(rest_).substr(0, rest_.size() / kGroup * kGroup);
  const std::size_t taken = whole.size();
  std::string bytes;
  while (!whole.empty()) {
    const std::size_t padding = std::min(whole.find('='), whole.size() - 1);
    const std::size_t size = (padding / kGroup + 1) * kGroup;
    const auto piece = grpc::Base64Decode(whole.substr(0, size));
    if (!piece) return std::nullopt;
    bytes += *piece;
    whole.remove_prefix(size);
  }
  rest_.erase(0, taken);
  return bytes;
}

}  // namespace micro::web
