#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "micro/error.h"
#include "micro/registry.h"

/// The TXT record of go-micro's mDNS registry (v2.2.0 to v2.9.1): JSON, deflated by zlib, written
/// as hex digits, cut into character-strings of at most 255 octets.
namespace micro::mdns {

/// What the record says of one node; the rest (id, address) is in the other records.
struct TxtFields {
  std::string service{};
  std::string version{};
  std::vector<Endpoint> endpoints{};
  std::map<std::string, std::string> metadata{};  ///< the node's

  bool operator==(const TxtFields&) const = default;
};

/// Deflates any text into character-strings.
Result<std::vector<std::string>> PackTxt(std::string_view text);
/// Inflates what PackTxt made. INVALID_ARGUMENT for what is no hex or no zlib stream, and for more
/// than 1 MiB of text.
Result<std::string> UnpackTxt(const std::vector<std::string>& strings);

std::string WriteTxtJson(const TxtFields& fields);
Result<TxtFields> ReadTxtJson(std::string_view text);

Result<std::vector<std::string>> EncodeTxt(const TxtFields& fields);
Result<TxtFields> DecodeTxt(const std::vector<std::string>& strings);

}  // namespace micro::mdns
