#include "base/pool.h"

#include <coroutine>
#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "micro/task.h"

#include "base/recycler.h"

namespace micro {
namespace {

TEST(PoolTest, BlocksOfEverySizeAreUsableAndApart) {
  std::vector<std::pair<unsigned char*, std::size_t>> blocks;
  for (std::size_t size = 1; size <= 9000; size += 37) {
    auto* block = static_cast<unsigned char*>(PoolAllocate(size));
    std::memset(block, static_cast<int>(size % 251), size);
    blocks.emplace_back(block, size);
  }
  for (const auto& [block, size] : blocks) {
    EXPECT_EQ(std::count(block, block + size, static_cast<unsigned char>(size % 251)),
              static_cast<std::ptrdiff_t>(size));
    PoolFree(block, size);
  }
}

TEST(PoolTest, BlocksComeBack) {
  if (!kPooling) GTEST_SKIP() << "nothing is recycled under a sanitizer";
  void* block = PoolAllocate(100);
  PoolFree(block, 100);
  void* again = PoolAllocate(120);  // of the same class
  EXPECT_EQ(again, block);
  PoolFree(again, 120);
}

TEST(PoolTest, ABlockMayBeFreedByAnotherThread) {
  std::vector<void*> blocks(2000);
  for (void*& block : blocks) block = PoolAllocate(64);
  std::thread([&] {
    for (void* block : blocks) PoolFree(block, 64);
  }).join();
}

struct Counted {
  explicit Counted(int& count) : alive(count) { ++alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }
  int& alive;
};

TEST(RecyclerTest, WhatWasPutComesOutAgain) {
  int alive = 0;
  std::thread([&] {
    auto object = Recycler<Counted>::Get(alive);
    const Counted* const first = object.get();
    Recycler<Counted>::Put(std::move(object));
    object = Recycler<Counted>::Get(alive);
    EXPECT_TRUE(!kPooling || object.get() == first);
    EXPECT_EQ(alive, 1);
    Recycler<Counted>::Put(std::move(object));
  }).join();
  EXPECT_EQ(alive, 0);  // the thread took its own with it
}

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12
struct Answer : std::suspend_never {
  bool await_resume() const noexcept { return true; }
};

Task<void> AwaitInACondition(bool& done) {  // and no local variable
  if (co_await Answer()) done = true;
}

Task<void> AwaitInAConditionOfAFullerBody(bool& done) {
  bool goes_on = true;
  while (goes_on && co_await Answer()) goes_on = false;
  done = true;
}

TEST(FrameTest, OneThatTheCompilerLaysOutWronglyIsFoundOut) {
  bool done = false;
  EXPECT_DEATH((void)AwaitInACondition(done), "pool_test.cc:[0-9]+: the compiler has laid");
  const auto good = AwaitInAConditionOfAFullerBody(done);
}
#endif

}  // namespace
}  // namespace micro
