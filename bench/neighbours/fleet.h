#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "neighbours/model.h"

namespace bench::neighbours {

/// The model on real sockets: a service for each server and each client, a thread each.
class Fleet {
 public:
  Fleet(const std::string& selector, int clients, double seconds, std::uint64_t seed);
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;
  ~Fleet();

  /// Whether all of it runs.
  bool Start();
  /// Has the calls begin, the first ones at `begin`.
  void Call(std::chrono::steady_clock::time_point begin);
  /// Waits for the calls, however they end; false when some have not after long.
  bool Wait();
  Outcomes outcomes() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bench::neighbours
