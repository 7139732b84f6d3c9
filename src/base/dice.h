#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace micro {

/// Random numbers for picking and for spreading out, fast and of no use for secrets. Each thread
/// has its own.
class Dice {
 public:
  static Dice& OfThread() {
    thread_local Dice dice(std::random_device{}());
    return dice;
  }

  explicit Dice(std::uint64_t seed) : state_(seed) {}

  /// A number below `limit`, which is at most 2^32.
  std::size_t Below(std::size_t limit) {
    return static_cast<std::size_t>(((Next() >> 32U) * limit) >> 32U);
  }
  /// A number from 0 on and below 1.
  double Fraction() { return static_cast<double>(Next() >> 11U) * 0x1p-53; }

 private:
  // SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
  std::uint64_t Next() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31U);
  }

  std::uint64_t state_;
};

}  // namespace micro
