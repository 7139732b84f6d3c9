#pragma once

#include <cstddef>

namespace micro {

/// Small blocks of memory, recycled by the thread that frees them. No lock is ever taken; a thread
/// keeps a bounded number of each size. Under a sanitizer every block comes from the heap.
void* PoolAllocate(std::size_t size);
void PoolFree(void* block, std::size_t size) noexcept;

}  // namespace micro
