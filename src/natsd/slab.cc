#include "natsd/slab.h"

#include <new>

#include "base/pool.h"

namespace micro::natsd {

Slab* Slab::New(std::size_t capacity, SlabPool* pool) {
  void* memory = ::operator new(sizeof(Slab) + capacity + kSlack);
  return new (memory) Slab(capacity, pool);
}

void Slab::Delete(Slab* slab) { ::operator delete(slab); }

void Slab::Release() {
  if (pool_ == nullptr) return Delete(this);
  pool_->Put(this);
}

SlabPool::~SlabPool() {
  for (Shelf& shelf : shelves_) {
    for (Slab* slab : shelf.slabs) Slab::Delete(slab);
  }
}

SlabPool::Shelf* SlabPool::ShelfOf(std::size_t size) {
  for (Shelf& shelf : shelves_) {
    if (size <= shelf.size) return &shelf;
  }
  return nullptr;
}

SlabRef SlabPool::Get(std::size_t size) {
  Shelf* shelf = ShelfOf(size);
  if (shelf == nullptr) return SlabRef(Slab::New(size, this));
  if (shelf->slabs.empty()) return SlabRef(Slab::New(shelf->size, this));
  Slab* slab = shelf->slabs.back();
  shelf->slabs.pop_back();
  return SlabRef(slab);
}

void SlabPool::Put(Slab* slab) {
  Shelf* shelf = kPooling ? ShelfOf(slab->capacity()) : nullptr;
  if (shelf == nullptr || shelf->size != slab->capacity() || shelf->slabs.size() >= shelf->most) {
    return Slab::Delete(slab);
  }
  shelf->slabs.push_back(slab);
}

}  // namespace micro::natsd
