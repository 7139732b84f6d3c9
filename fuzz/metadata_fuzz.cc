// Adds, sets and removes as the input says: one byte what to do, one how long key and value are.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "micro/metadata.h"

namespace {

std::string_view Take(std::string_view& input, std::size_t size) {
  const auto taken = input.substr(0, size);
  input.remove_prefix(taken.size());
  return taken;
}

void Change(micro::Metadata& metadata, int how, std::string_view key, std::string_view value) {
  if (how == 0) {
    metadata.Add(key, value);
  } else if (how == 1) {
    metadata.Set(key, value);
    if (metadata.GetAll(key).size() != 1 || metadata.Get(key) != value) std::abort();
  } else if (how == 2) {
    metadata.Remove(key);
    if (metadata.Has(key)) std::abort();
  } else {
    metadata.Append(metadata);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  micro::Metadata metadata;
  while (input.size() >= 2 && metadata.bytes() + metadata.size() < 4096) {
    const auto head = Take(input, 2);
    const auto key = Take(input, static_cast<unsigned char>(head[1]) % 16U);
    const auto value = Take(input, static_cast<unsigned char>(head[1]) / 16U);
    Change(metadata, head[0] % 4, key, value);
  }
  const micro::Metadata copy = metadata;
  if (!(copy == metadata)) std::abort();
  return 0;
}
