#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MICRO_POOL 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MICRO_POOL 0
#endif
#endif
#ifndef MICRO_POOL
#define MICRO_POOL 1
#endif

namespace micro {

/// Whether memory is recycled at all; not under a sanitizer, which could not watch over it.
inline constexpr bool kPooling = MICRO_POOL != 0;

/// Small blocks of memory, recycled by the thread that frees them. No lock is ever taken; a thread
/// keeps a bounded number of each size. Without kPooling every block comes from the heap.
void* PoolAllocate(std::size_t size);
void PoolFree(void* block, std::size_t size) noexcept;

}  // namespace micro
