#include "neighbours/model.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace bench::neighbours {
namespace {

// SplitMix64's finish.
std::uint64_t Mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111eb;
  return value ^ (value >> 31U);
}

double Fraction(std::uint64_t value) { return static_cast<double>(Mix(value) >> 11U) * 0x1p-53; }

}  // namespace

std::vector<Arrival> Arrivals(int clients, double seconds, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(kRate);
  std::normal_distribution<double> work(0.010, 0.010);
  std::uniform_int_distribution<int> client(0, clients - 1);
  std::vector<Arrival> arrivals;
  for (double at = gap(random); at < seconds; at += gap(random)) {
    arrivals.push_back({at, std::max(work(random), 0.0), client(random)});
  }
  return arrivals;
}

Worker::Worker(int server, std::uint64_t seed)
    : seed_(Mix(seed * 1000 + static_cast<std::uint64_t>(server))),
      phase_(Fraction(seed_) * kDwell) {}

double Worker::SpeedAt(std::int64_t dwell) const {
  return Fraction(seed_ ^ Mix(static_cast<std::uint64_t>(dwell) + 1)) < kSlowShare ? kSlowSpeed : 1;
}

double Worker::Take(double now, double work) {
  double at = std::max(now, free_);
  while (true) {
    const auto dwell = static_cast<std::int64_t>(std::floor((at + phase_) / kDwell));
    const double until = static_cast<double>(dwell + 1) * kDwell - phase_;
    const double speed = SpeedAt(dwell);
    if (at + work / speed <= until) return free_ = at + work / speed;
    work -= (until - at) * speed;
    at = until;
  }
}

void Outcomes::Add(const Outcomes& other) {
  seconds.insert(seconds.end(), other.seconds.begin(), other.seconds.end());
  failed += other.failed;
}

double Outcomes::Percentile(double share) const {
  if (seconds.empty()) return 0;
  std::vector<double> sorted = seconds;
  const auto place =
      sorted.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), place, sorted.end());
  return *place * 1000;
}

}  // namespace bench::neighbours
