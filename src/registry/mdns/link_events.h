#pragma once

#include <utility>

#include "micro/error.h"

namespace micro::mdns {

/// Hears from the kernel that interfaces or their addresses come, change or go (rtnetlink).
class LinkEvents final {
 public:
  /// UNAVAILABLE where a sandbox does not let one listen.
  static Result<LinkEvents> Open();

  LinkEvents(LinkEvents&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LinkEvents& operator=(LinkEvents&&) = delete;
  ~LinkEvents();

  /// Readable when something happened.
  int fd() const { return fd_; }
  /// Forgets what has happened so far; what it was is for a look at the interfaces to tell.
  void Drain();

 private:
  explicit LinkEvents(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace micro::mdns
