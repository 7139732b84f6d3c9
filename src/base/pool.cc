#include "base/pool.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <utility>

#include "micro/task.h"

namespace micro {
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = 64;  // up to 4 KiB
constexpr std::uint32_t kKept = 512;  // blocks of one size that a thread keeps

struct Free {
  Free* next;
};

struct List {
  Free* head = nullptr;
  std::uint32_t room = kKept;  // blocks it still takes; none once the thread ends
};

// Plain data without a destructor, so that blocks may be freed while the thread's other
// thread-local objects are destroyed; Sweeper empties it at the thread's end.
struct Lists {
  std::array<List, kClasses> classes;
};

constinit thread_local Lists lists{};

struct Sweeper {
  void Touch() {}
  ~Sweeper() {
    for (List& list : lists.classes) {
      list.room = 0;
      while (list.head != nullptr) ::operator delete(std::exchange(list.head, list.head->next));
    }
  }
};

thread_local Sweeper sweeper;

std::size_t ClassOf(std::size_t size) { return (size + kStep - 1) / kStep - 1; }

}  // namespace

void* PoolAllocate(std::size_t size) {
  const std::size_t index = ClassOf(size);
  if (!kPooling || index >= kClasses) return ::operator new(size);
  List& list = lists.classes[index];
  if (list.head == nullptr) return ::operator new((index + 1) * kStep);
  ++list.room;
  return std::exchange(list.head, list.head->next);
}

void PoolFree(void* block, std::size_t size) noexcept {
  const std::size_t index = ClassOf(size);
  if (!kPooling || index >= kClasses || lists.classes[index].room == 0) {
    return ::operator delete(block);
  }
  List& list = lists.classes[index];
  if (list.head == nullptr) sweeper.Touch();
  list.head = new (block) Free{list.head};
  --list.room;
}

namespace internal {

constinit thread_local void* FrameMemory::latest = nullptr;

void* AllocateFrame(std::size_t size) { return PoolAllocate(size); }
void FreeFrame(void* frame, std::size_t size) noexcept { PoolFree(frame, size); }

void RefuseFrame(const std::source_location& coroutine) noexcept {
  std::fprintf(
      stderr,
      "%s:%u: the compiler has laid the frame of this coroutine out wrongly, as GCC 12 does "
      "with co_await in a condition where there is no local variable: declare one, such as "
      "`const bool more = co_await ...`\n",
      coroutine.file_name(), static_cast<unsigned>(coroutine.line()));
  std::abort();
}

}  // namespace internal
}  // namespace micro
