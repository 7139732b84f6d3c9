#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace micro::natsd {

class SlabPool;

/// A block of memory that several connections refer to at once: what was read, or what is to be
/// written. Its references are counted without atomics: a slab belongs to one thread at a time.
class Slab {
 public:
  /// Bytes beyond capacity() that may be read and written, for copying in whole strides.
  static constexpr std::size_t kSlack = 64;

  /// From the heap, for whoever has no pool.
  static Slab* New(std::size_t capacity, SlabPool* pool = nullptr);
  static void Delete(Slab* slab);

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  std::size_t capacity() const { return capacity_; }
  std::uint32_t references() const { return references_; }

 private:
  friend class SlabRef;
  friend class SlabPool;
  Slab(std::size_t capacity, SlabPool* pool) : pool_(pool), capacity_(capacity) {}
  void Release();

  SlabPool* pool_;
  std::size_t capacity_;
  std::uint32_t references_ = 0;
};

/// One reference to a slab.
class SlabRef {
 public:
  SlabRef() = default;
  explicit SlabRef(Slab* slab) : slab_(slab) { Take(); }
  SlabRef(const SlabRef& other) : slab_(other.slab_) { Take(); }
  SlabRef(SlabRef&& other) noexcept : slab_(std::exchange(other.slab_, nullptr)) {}
  SlabRef& operator=(SlabRef other) noexcept {
    std::swap(slab_, other.slab_);
    return *this;
  }
  ~SlabRef() {
    if (slab_ != nullptr && --slab_->references_ == 0) slab_->Release();
  }

  Slab* get() const { return slab_; }
  Slab* operator->() const { return slab_; }
  explicit operator bool() const { return slab_ != nullptr; }

 private:
  void Take() {
    if (slab_ != nullptr) ++slab_->references_;
  }
  Slab* slab_ = nullptr;
};

/// Slabs of a few sizes, kept for the next who needs one. It must outlive its slabs.
class SlabPool {
 public:
  static constexpr std::size_t kSmall = std::size_t{4} << 10U;
  static constexpr std::size_t kLarge = std::size_t{64} << 10U;
  static constexpr std::size_t kInput = std::size_t{128} << 10U;

  SlabPool() = default;
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;
  ~SlabPool();

  /// At least `size` bytes; what they hold is anything.
  SlabRef Get(std::size_t size);

 private:
  friend class Slab;
  struct Shelf {
    std::size_t size;
    std::size_t most;  // that are kept
    std::vector<Slab*> slabs = {};
  };

  Shelf* ShelfOf(std::size_t size);
  void Put(Slab* slab);

  Shelf shelves_[3] = {{kSmall, 1024}, {kLarge, 128}, {kInput, 32}};
};

}  // namespace micro::natsd
