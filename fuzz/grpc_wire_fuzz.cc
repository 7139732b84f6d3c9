// The small encodings of gRPC: what is written is read as the same, and what is read can be
// written.
#include <cstddef>
#include <string>

#include "expect.h"
#include "transport/grpc/wire.h"

namespace micro::grpc {
namespace {

void CheckTimeout(std::string_view text) {
  const auto timeout = DecodeTimeout(text);
  if (!timeout) return;
  Expect(*timeout >= Duration::zero());
  const std::string again = EncodeTimeout(*timeout);
  Expect(again.size() <= 9);
  Expect(DecodeTimeout(again) >= *timeout);  // rounded up at most
}

void CheckPercent(std::string_view text) {
  const std::string encoded = PercentEncode(text);
  for (const char c : encoded) Expect(c >= ' ' && c <= '~');
  Expect(PercentDecode(encoded) == text);
  Expect(PercentDecode(text).size() <= text.size());
}

void CheckBase64(std::string_view text) {
  Expect(Base64Decode(Base64Encode(text)) == text);
  const auto bytes = Base64Decode(text);
  if (bytes) Expect(Base64Decode(Base64Encode(*bytes)) == *bytes);
}

}  // namespace
}  // namespace micro::grpc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = AsText(data, size);
  micro::grpc::CheckTimeout(text);
  micro::grpc::CheckPercent(text);
  micro::grpc::CheckBase64(text);
  return 0;
}
