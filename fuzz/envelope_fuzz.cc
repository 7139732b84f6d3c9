// Reads any bytes as the envelope of a message: what is read must be written and read again as the
// same, and the two readers must agree.
#include "base/utf8.h"
#include "broker/envelope.h"
#include "expect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace micro::broker;
  const std::string_view text = AsText(data, size);
  micro::RawMessage plain;
  const bool is_plain = ReadPlainEnvelope(text, plain);
  const auto read = ReadEnvelope(text);
  if (is_plain) Expect(read.has_value() && *read == plain);
  if (!read) return 0;
  for (const auto& [key, value] : read->metadata)
    Expect(micro::IsUtf8(key) && micro::IsUtf8(value));
  const auto again = ReadEnvelope(WriteEnvelope(*read));
  Expect(again.has_value() && again->body == read->body);
  Expect(again->metadata.size() == read->metadata.size());
  for (const auto& [key, value] : read->metadata) Expect(again->metadata.Get(key) == value);
  return 0;
}
