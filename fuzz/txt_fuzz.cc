// Reads any octets as the text of a TXT record, as its JSON, and as the JSON other registries keep:
// what is read must be written and read again as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "registry/json.h"
#include "registry/mdns/txt.h"

namespace micro::mdns {
namespace {

constexpr std::size_t kMaxText = std::size_t{1} << 20;

void Expect(bool condition) {
  if (!condition) std::abort();
}

void CheckPacking(std::string_view text) {
  const auto strings = PackTxt(text);
  Expect(strings.has_value());
  for (const std::string& string : *strings) Expect(!string.empty() && string.size() <= 255);
  Expect(UnpackTxt(*strings) == text);
}

void CheckTxt(std::string_view text) {
  const auto unpacked = UnpackTxt({std::string(text)});
  if (!unpacked) return;
  Expect(unpacked->size() <= kMaxText);
  CheckPacking(*unpacked);
}

void CheckFields(std::string_view json) {
  const auto fields = ReadTxtJson(json);
  if (!fields) return;
  Expect(ReadTxtJson(WriteTxtJson(*fields)) == *fields);
  const auto strings = EncodeTxt(*fields);
  if (strings) Expect(DecodeTxt(*strings) == *fields);
}

void CheckService(std::string_view json) {
  const auto service = registry_json::ReadService(json);
  if (service)
    Expect(registry_json::ReadService(registry_json::WriteService(*service)) == *service);
}

}  // namespace
}  // namespace micro::mdns

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (size > micro::mdns::kMaxText) return 0;
  micro::mdns::CheckTxt(text);
  micro::mdns::CheckPacking(text);
  micro::mdns::CheckFields(text);
  micro::mdns::CheckService(text);
  return 0;
}
