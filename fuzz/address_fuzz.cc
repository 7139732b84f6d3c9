// What is read as an address is read the same again when it has been written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto address = micro::ParseHostPort(text);
  if (!address) return 0;
  const auto again = micro::ParseHostPort(micro::JoinHostPort(address->host, address->port));
  if (!again || *again != *address) std::abort();
  return 0;
}
