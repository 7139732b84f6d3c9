#include "service/registration.h"

#include <algorithm>
#include <string>
#include <utility>

namespace micro::service {
namespace {

// Between two attempts to register, while the first has yet to succeed.
constexpr Duration kRetry = std::chrono::seconds(1);

}  // namespace

Registration::Registration(std::shared_ptr<Registry> registry, ServiceInfo service, Duration ttl,
                           Duration interval, Logger& logger)
    : registry_(std::move(registry)),
      service_(std::move(service)),
      options_{.ttl = ttl},
      logger_(logger) {
  Register();
  if (!registered_ || interval > Duration::zero()) {
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

// A registry that is away is no reason not to serve: it is tried again, and once is enough to say
// so.
void Registration::Register() {
  const Status registered = registry_->Register(service_, options_);
  const bool before = std::exchange(registered_, registered.has_value());
  const std::string name(registry_->name());
  if (!registered && !std::exchange(complained_, true)) {
    logger_.Write(LogLevel::kError, "cannot register with " + name +
                                        ", trying again: " + registered.error().ToString());
  }
  if (registered && !before && std::exchange(complained_, false)) {
    logger_.Write(LogLevel::kInfo, "registered with " + name);
  }
}

// Zero: nothing is renewed, and no more is to be done once it is registered.
Duration Registration::Pause(Duration interval) const {
  if (registered_) return interval;
  return interval > Duration::zero() ? std::min(kRetry, interval) : kRetry;
}

void Registration::Renew(Duration interval) {
  std::unique_lock lock(mutex_);
  while (Pause(interval) > Duration::zero() &&
         !stopping_.wait_for(lock, Pause(interval), [this] { return stop_; })) {
    lock.unlock();
    Register();
    lock.lock();
  }
}

}  // namespace micro::service
