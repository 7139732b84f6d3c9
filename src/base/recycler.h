#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/pool.h"

namespace micro {

/// Objects that are costly to build, kept by the thread that gives them back; they come out as they
/// were put in, cleared by their owner. A thread keeps a bounded number.
template <typename T>
class Recycler {
 public:
  template <typename... Args>
  static std::unique_ptr<T> Get(Args&&... args) {
    if (kept().empty()) return std::make_unique<T>(std::forward<Args>(args)...);
    std::unique_ptr<T> object = std::move(kept().back());
    kept().pop_back();
    return object;
  }

  static void Put(std::unique_ptr<T> object) {
    if (kPooling && kept().size() < kMost) kept().push_back(std::move(object));
  }

 private:
  static constexpr std::size_t kMost = 1024;

  static std::vector<std::unique_ptr<T>>& kept() {
    thread_local std::vector<std::unique_ptr<T>> objects;
    return objects;
  }
};

}  // namespace micro
