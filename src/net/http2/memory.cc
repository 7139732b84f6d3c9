#include "net/http2/memory.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/pool.h"

namespace micro::http2 {
namespace {

// nghttp2 frees without saying how much: the size stands before the block.
constexpr std::size_t kHead = alignof(std::max_align_t);

void* Allocate(std::size_t size, void* /*user*/) {
  auto* block = static_cast<std::byte*>(PoolAllocate(size + kHead));
  std::memcpy(block, &size, sizeof size);
  return block + kHead;
}

std::size_t SizeOf(std::byte* block) {
  std::size_t size = 0;
  std::memcpy(&size, block, sizeof size);
  return size;
}

void Free(void* memory, void* /*user*/) {
  if (memory == nullptr) return;
  std::byte* block = static_cast<std::byte*>(memory) - kHead;
  PoolFree(block, SizeOf(block) + kHead);
}

void* AllocateZeroed(std::size_t count, std::size_t size, void* user) {
  void* memory = Allocate(count * size, user);
  std::memset(memory, 0, count * size);
  return memory;
}

void* Reallocate(void* memory, std::size_t size, void* user) {
  void* grown = Allocate(size, user);
  if (memory != nullptr) {
    std::memcpy(grown, memory, std::min(size, SizeOf(static_cast<std::byte*>(memory) - kHead)));
    Free(memory, user);
  }
  return grown;
}

}  // namespace

nghttp2_mem* PooledMemory() {
  static constinit nghttp2_mem memory = {nullptr, Allocate, Free, AllocateZeroed, Reallocate};
  return &memory;
}

}  // namespace micro::http2
