#include "registry/mdns/txt.h"

#include <nlohmann/json.hpp>
#include <zlib.h>

#include "registry/json.h"

namespace micro::mdns {
namespace {

constexpr std::size_t kMaxString = 255;
constexpr std::size_t kMaxText = std::size_t{1} << 20;

std::string ToHex(std::string_view octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(octets.size() * 2);
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    hex += kDigits[octet >> 4];
    hex += kDigits[octet & 15];
  }
  return hex;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> FromHex(std::string_view hex) {
  if (hex.empty() || hex.size() % 2 != 0) return InvalidArgument("TXT record: cut-off hex digits");
  std::string octets;
  octets.reserve(hex.size() / 2);
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    const int high = HexDigit(hex[at]);
    const int low = HexDigit(hex[at + 1]);
    if (high < 0 || low < 0) return InvalidArgument("TXT record: no hex digits");
    octets += static_cast<char>(high << 4 | low);
  }
  return octets;
}

std::vector<std::string> Cut(const std::string& text) {
  std::vector<std::string> strings;
  for (std::size_t at = 0; at < text.size(); at += kMaxString) {
    strings.push_back(text.substr(at, kMaxString));
  }
  return strings;
}

// zlib's interface takes pointers to octets that are not const, and does not write through them.
Bytef* In(std::string_view octets) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
}

class Inflater {
 public:
  Inflater() : ready_(inflateInit(&stream_) == Z_OK) {}
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  Result<std::string> Inflate(std::string_view octets);

 private:
  z_stream stream_{};
  bool ready_;
};

Result<std::string> Inflater::Inflate(std::string_view octets) {
  stream_.next_in = In(octets);
  stream_.avail_in = static_cast<uInt>(octets.size());
  std::string text;
  int state = ready_ ? Z_OK : Z_MEM_ERROR;
  while (state == Z_OK && text.size() <= kMaxText) {
    std::array<char, 4096> part;
    stream_.next_out = reinterpret_cast<Bytef*>(part.data());
    stream_.avail_out = part.size();
    state = inflate(&stream_, Z_NO_FLUSH);
    text.append(part.data(), part.size() - stream_.avail_out);
  }
  if (text.size() > kMaxText) return InvalidArgument("TXT record: more than 1 MiB of text");
  if (state != Z_STREAM_END) return InvalidArgument("TXT record: no complete zlib stream");
  return text;
}

}  // namespace

Result<std::vector<std::string>> PackTxt(std::string_view text) {
  if (text.size() > kMaxText) return InvalidArgument("TXT record: more than 1 MiB of text");
  uLongf size = compressBound(text.size());
  std::string octets(size, '\0');
  if (compress(In(octets), &size, In(text), text.size()) != Z_OK) {
    return Internal("zlib could not deflate a TXT record");
  }
  octets.resize(size);
  return Cut(ToHex(octets));
}

Result<std::string> UnpackTxt(const std::vector<std::string>& strings) {
  std::string hex;
  for (const std::string& string : strings) hex += string;
  const auto octets = FromHex(hex);
  if (!octets) return Fails(octets.error());
  return Inflater().Inflate(*octets);
}

std::string WriteTxtJson(const TxtFields& fields) {
  return registry_json::Write({{"Service", fields.service},
                               {"Version", fields.version},
                               {"Endpoints", registry_json::FromEndpoints(fields.endpoints)},
                               {"Metadata", registry_json::FromMetadata(fields.metadata)}});
}

Result<TxtFields> ReadTxtJson(std::string_view text) {
  const auto json = registry_json::ParseObject(text);
  if (!json) return Fails(json.error());
  auto service = registry_json::StringMember(*json, "Service");
  auto version = registry_json::StringMember(*json, "Version");
  auto endpoints = registry_json::ToEndpoints(registry_json::Member(*json, "Endpoints"));
  auto metadata = registry_json::ToMetadata(registry_json::Member(*json, "Metadata"));
  if (!service) return Fails(service.error());
  if (!version) return Fails(version.error());
  if (!endpoints) return Fails(endpoints.error());
  if (!metadata) return Fails(metadata.error());
  return TxtFields{.service = *std::move(service),
                   .version = *std::move(version),
                   .endpoints = *std::move(endpoints),
                   .metadata = *std::move(metadata)};
}

Result<std::vector<std::string>> EncodeTxt(const TxtFields& fields) {
  return PackTxt(WriteTxtJson(fields));
}

Result<TxtFields> DecodeTxt(const std::vector<std::string>& strings) {
  const auto json = UnpackTxt(strings);
  if (!json) return Fails(json.error());
  return ReadTxtJson(*json);
}

}  // namespace micro::mdns
