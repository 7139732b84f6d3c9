#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "natsd/slab.h"

namespace micro::natsd {

/// Bytes that wait to be written to one connection, in order: small ones are copied, large ones
/// stay in the slab they were read into.
class OutQueue {
 public:
  explicit OutQueue(SlabPool& pool) : pool_(pool) {}

  void Append(std::string_view bytes) {
    if (bytes.size() > Room()) return AppendSlowly(bytes);
    Copy(bytes);
  }
  void Append(std::string_view head, std::string_view tail) {
    if (head.size() + tail.size() > Room()) {
      AppendSlowly(head);
      return AppendSlowly(tail);
    }
    Copy(head);
    Copy(tail);
  }
  /// Refers to `bytes`, which lie in `slab`, and must not change.
  void AppendShared(const SlabRef& slab, std::string_view bytes);

  bool empty() const { return pending() == 0; }
  std::size_t pending() const { return closed_bytes_ + static_cast<std::size_t>(write_ - open_); }
  /// Bytes of memory that what is pending holds, at most.
  std::size_t pinned() const;

  /// The first bytes that are pending, as what writev takes; how many entries of `out` are used.
  std::size_t Gather(std::span<iovec> out) const;
  /// Appends all that is pending to `text`.
  void CopyTo(std::string& text) const;
  /// The first `size` bytes are written.
  void Consume(std::size_t size);
  /// Everything is written, or nobody wants it.
  void Clear();

  /// Lets go of slabs of which only a small part is pending, by copying that: one who reads slowly
  /// must not hold the memory of others.
  void Settle();

 private:
  struct Segment {
    SlabRef slab;
    const char* data;
    std::size_t size;
    bool shared;
  };

  std::size_t Room() const { return static_cast<std::size_t>(limit_ - write_); }
  void Copy(std::string_view bytes) {
    std::memcpy(write_, bytes.data(), bytes.size());
    write_ += bytes.size();
  }
  void AppendSlowly(std::string_view bytes);
  void Close();
  void Renew();

  SlabPool& pool_;
  std::deque<Segment> segments_;  // what lies before the open part
  std::size_t closed_bytes_ = 0;  // in them
  SlabRef tail_;
  char* open_ = nullptr;  // where in tail_ the open part begins, ends, and could end
  char* write_ = nullptr;
  char* limit_ = nullptr;
  std::size_t next_ = SlabPool::kSmall;
};

}  // namespace micro::natsd
