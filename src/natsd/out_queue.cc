#include "natsd/out_queue.h"

#include <algorithm>
#include <utility>

namespace micro::natsd {

// Moves the open part to the segments; the rest of the slab is written to next.
void OutQueue::Close() {
  if (write_ == open_) return;
  const auto size = static_cast<std::size_t>(write_ - open_);
  segments_.push_back({.slab = tail_, .data = open_, .size = size, .shared = false});
  closed_bytes_ += size;
  open_ = write_;
}

// A slab that is outgrown is followed by a large one; one that was enough by a small one.
void OutQueue::Renew() {
  Close();
  tail_ = pool_.Get(next_);
  next_ = SlabPool::kLarge;
  open_ = write_ = tail_->data();
  limit_ = open_ + tail_->capacity();
}

void OutQueue::AppendSlowly(std::string_view bytes) {
  while (!bytes.empty()) {
    if (Room() == 0) Renew();
    const std::size_t size = std::min(bytes.size(), Room());
    Copy(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
}

void OutQueue::AppendShared(const SlabRef& slab, std::string_view bytes) {
  Close();
  segments_.push_back({.slab = slab, .data = bytes.data(), .size = bytes.size(), .shared = true});
  closed_bytes_ += bytes.size();
}

std::size_t OutQueue::pinned() const {
  std::size_t bytes = tail_ ? tail_->capacity() : 0;
  const Slab* last = tail_.get();
  for (const Segment& segment : segments_) {
    if (segment.slab.get() != last) bytes += segment.slab->capacity();
    last = segment.slab.get();
  }
  return bytes;
}

std::size_t OutQueue::Gather(std::span<iovec> out) const {
  std::size_t used = 0;
  for (const Segment& segment : segments_) {
    if (used == out.size()) return used;
    out[used++] = {.iov_base = const_cast<char*>(segment.data), .iov_len = segment.size};
  }
  if (used == out.size() || write_ == open_) return used;
  out[used++] = {.iov_base = open_, .iov_len = static_cast<std::size_t>(write_ - open_)};
  return used;
}

void OutQueue::CopyTo(std::string& text) const {
  for (const Segment& segment : segments_) text.append(segment.data, segment.size);
  text.append(open_, static_cast<std::size_t>(write_ - open_));
}

void OutQueue::Consume(std::size_t size) {
  if (size == pending()) return Clear();
  while (size > 0 && !segments_.empty()) {
    Segment& first = segments_.front();
    const std::size_t part = std::min(size, first.size);
    first.data += part;
    first.size -= part;
    closed_bytes_ -= part;
    size -= part;
    if (first.size == 0) segments_.pop_front();
  }
  open_ += size;
}

void OutQueue::Clear() {
  const bool grown = !segments_.empty();
  if (grown) segments_.clear();
  closed_bytes_ = 0;
  // The slab goes back: connections that rest hold no memory, and the next takes a warm one.
  next_ = grown || write_ - (tail_ ? tail_->data() : write_) > std::ptrdiff_t{SlabPool::kSmall} / 2
              ? SlabPool::kLarge
              : SlabPool::kSmall;
  tail_ = SlabRef();
  open_ = write_ = limit_ = nullptr;
}

void OutQueue::Settle() {
  std::deque<Segment> old = std::exchange(segments_, {});
  Close();
  std::deque<Segment> open = std::exchange(segments_, {});
  closed_bytes_ = 0;
  std::move(open.begin(), open.end(), std::back_inserter(old));
  for (std::size_t at = 0; at < old.size();) {
    std::size_t end = at;
    std::size_t bytes = 0;
    while (end < old.size() && old[end].slab.get() == old[at].slab.get()) bytes += old[end++].size;
    const bool keep = !old[at].shared || bytes * 2 >= old[at].slab->capacity();
    for (; at < end; ++at) {
      if (!keep) {
        AppendSlowly({old[at].data, old[at].size});
        continue;
      }
      Close();
      closed_bytes_ += old[at].size;
      segments_.push_back(std::move(old[at]));
    }
  }
}

}  // namespace micro::natsd
