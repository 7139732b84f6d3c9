#include "service/registration.h"

#include <utility>

namespace micro::service {

Registration::Registration(std::shared_ptr<Registry> registry, ServiceInfo service, Duration ttl,
                           Duration interval, Logger& logger)
    : registry_(std::move(registry)),
      service_(std::move(service)),
      options_{.ttl = ttl},
      logger_(logger) {
  Register();
  if (interval > Duration::zero()) {
    renewal_ = std::thread([this, interval] { Renew(interval); });
  }
}

Registration::~Registration() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  if (renewal_.joinable()) renewal_.join();
  if (Status gone = registry_->Deregister(service_); !gone) {
    logger_.Write(LogLevel::kWarn, "cannot deregister: " + gone.error().ToString());
  }
}

// A registry that is away is no reason not to serve: it is tried again on the interval.
void Registration::Register() {
  const Status registered = registry_->Register(service_, options_);
  if (registered) return;
  logger_.Write(LogLevel::kError, "cannot register with " + std::string(registry_->name()) + ": " +
                                      registered.error().ToString());
}

void Registration::Renew(Duration interval) {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, interval, [this] { return stop_; })) {
    lock.unlock();
    Register();
    lock.lock();
  }
}

}  // namespace micro::service
