#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "micro/duration.h"
#include "micro/logger.h"
#include "micro/registry.h"

namespace micro::service {

/// A service in its registry: announced, renewed on an interval, withdrawn at the end.
class Registration {
 public:
  Registration(std::shared_ptr<Registry> registry, ServiceInfo service, Duration ttl,
               Duration interval, Logger& logger);
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  /// Withdraws it.
  ~Registration();

 private:
  void Register();
  Duration Pause(Duration interval) const;
  void Renew(Duration interval);

  std::shared_ptr<Registry> registry_;
  ServiceInfo service_;
  RegisterOptions options_;
  Logger& logger_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  bool registered_ = false;  // these two: the constructor's, then the renewal's
  bool complained_ = false;
  std::thread renewal_;
};

}  // namespace micro::service
