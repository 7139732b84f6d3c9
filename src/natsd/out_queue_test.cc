#include "natsd/out_queue.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace micro::natsd {
namespace {

// Takes at most `size` bytes as a socket would.
std::string Take(OutQueue& queue, std::size_t size) {
  std::vector<iovec> parts(8);
  std::string taken;
  const std::size_t count = queue.Gather(parts);
  for (std::size_t i = 0; i < count && taken.size() < size; ++i) {
    taken.append(static_cast<const char*>(parts[i].iov_base),
                 std::min(parts[i].iov_len, size - taken.size()));
  }
  queue.Consume(taken.size());
  return taken;
}

TEST(OutQueueTest, BytesComeOutAsTheyWentIn) {
  SlabPool pool;
  OutQueue queue(pool);
  std::mt19937 random(11);
  std::string expected;
  std::string got;
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes(random() % 6000, static_cast<char>('a' + i % 26));
    switch (random() % 4) {
      case 0: {
        SlabRef slab = pool.Get(bytes.size() + 1);
        bytes.copy(slab->data(), bytes.size());
        queue.AppendShared(slab, {slab->data(), bytes.size()});
        break;
      }
      case 1:
        queue.Append("head", bytes);
        expected += "head";
        break;
      default:
        queue.Append(bytes);
    }
    expected += bytes;
    if (random() % 7 == 0) queue.Settle();
    if (random() % 3 == 0) got += Take(queue, random() % 20000);
    ASSERT_EQ(queue.pending(), expected.size() - got.size());
  }
  while (!queue.empty()) got += Take(queue, 1U << 20U);
  EXPECT_TRUE(got == expected);
}

TEST(OutQueueTest, SettlingLetsGoOfSlabsOfWhichLittleIsPending) {
  SlabPool pool;
  OutQueue queue(pool);
  SlabRef large = pool.Get(SlabPool::kInput);
  large->data()[0] = 'x';
  queue.AppendShared(large, {large->data(), 4096});
  EXPECT_EQ(large->references(), 2U);
  EXPECT_GE(queue.pinned(), SlabPool::kInput);
  queue.Settle();
  EXPECT_EQ(large->references(), 1U);
  EXPECT_LT(queue.pinned(), SlabPool::kInput);
  EXPECT_EQ(Take(queue, 1), "x");
}

TEST(OutQueueTest, OneThatIsEmptyHoldsNoMemory) {
  SlabPool pool;
  OutQueue queue(pool);
  queue.Append("something");
  EXPECT_GT(queue.pinned(), 0U);
  queue.Consume(queue.pending());
  EXPECT_EQ(queue.pinned(), 0U);
}

}  // namespace
}  // namespace micro::natsd
