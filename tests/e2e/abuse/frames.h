#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// HTTP/2 frames by hand (RFC 9113), good and bad.
namespace micro::e2e {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum class FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr std::uint8_t kEndStream = 1;
inline constexpr std::uint8_t kEndHeaders = 4;

inline std::string Number(std::uint32_t number, int bytes) {
  std::string text;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    text += static_cast<char>(number >> shift);
  }
  return text;
}

inline std::string FrameHead(FrameType type, std::uint8_t flags, std::uint32_t stream,
                             std::uint32_t size) {
  return Number(size, 3) + static_cast<char>(type) + static_cast<char>(flags) + Number(stream, 4);
}

inline std::string Frame(FrameType type, std::uint8_t flags, std::uint32_t stream,
                         const std::string& payload = "") {
  return FrameHead(type, flags, stream, static_cast<std::uint32_t>(payload.size())) + payload;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

/// A header block of literals (RFC 7541 section 6.2.2).
inline std::string HeaderBlock(const Fields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    block += static_cast<char>(name.size());
    block += name;
    block += static_cast<char>(value.size());
    block += value;
  }
  return block;
}

inline std::string Headers(std::uint32_t stream, const Fields& fields,
                           std::uint8_t flags = kEndHeaders) {
  return Frame(FrameType::kHeaders, flags, stream, HeaderBlock(fields));
}

inline std::string Data(std::uint32_t stream, const std::string& bytes, std::uint8_t flags = 0) {
  return Frame(FrameType::kData, flags, stream, bytes);
}

/// The preface and empty SETTINGS: how every connection begins.
inline std::string Opening() { return std::string(kPreface) + Frame(FrameType::kSettings, 0, 0); }

}  // namespace micro::e2e
