// What is read as a duration is read the same again when it has been written out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "micro/duration.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto duration = micro::ParseDuration(text);
  if (!duration) return 0;
  const auto again = micro::ParseDuration(micro::FormatDuration(*duration));
  if (!again || *again != *duration) std::abort();
  return 0;
}
