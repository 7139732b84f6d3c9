#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Servers with noisy neighbours, as "Load is not what you should balance: Introducing Prequal"
// (NSDI 2024) tests balancing: the same model is simulated, and run on real sockets. Times are
// seconds from the beginning of a run.
namespace bench::neighbours {

inline constexpr int kServers = 10;
inline constexpr double kMeanWork =
    0.010833;  // of N(10 ms, 10 ms), where less than nothing is nothing
inline constexpr double kSlowShare = 0.25;  // of the time, and of the servers
inline constexpr double kSlowSpeed = 0.4;
inline constexpr double kDwell = 4;  // a server stays as it is for so long
inline constexpr double kLoad = 0.7;
inline constexpr double kTimeout = 5;
inline constexpr double kWarmUp = 2;  // what begins earlier does not count

/// Calls a second that are kLoad of what all servers can do.
inline constexpr double kRate =
    kLoad * kServers * (1 - kSlowShare + kSlowShare * kSlowSpeed) / kMeanWork;

/// A call, as it is to come.
struct Arrival {
  double at;
  double work;  ///< seconds, at full speed
  int client;
};

/// Calls of all clients together, as a Poisson process.
std::vector<Arrival> Arrivals(int clients, double seconds, std::uint64_t seed);

/// One worker that serves in turn, and is slow at times.
class Worker {
 public:
  Worker(int server, std::uint64_t seed);

  /// Takes work that comes `now`; when it will be done.
  double Take(double now, double work);

 private:
  double SpeedAt(std::int64_t dwell) const;

  std::uint64_t seed_;
  double phase_;
  double free_ = 0;
};

/// What became of the calls of a run, or of several.
struct Outcomes {
  std::vector<double> seconds;  ///< from when a call was to begin; kTimeout if it failed
  std::uint64_t failed = 0;

  void Add(const Outcomes& other);
  /// In milliseconds.
  double Percentile(double share) const;
};

}  // namespace bench::neighbours
