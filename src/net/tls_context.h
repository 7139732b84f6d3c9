#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "micro/duration.h"
#include "micro/error.h"
#include "micro/logger.h"
#include "micro/transport.h"

namespace micro::net {

template <auto free>
struct FreeBy {
  template <typename T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};
using SslPtr = std::unique_ptr<SSL, FreeBy<SSL_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, FreeBy<SSL_CTX_free>>;

/// What OpenSSL last complained of on this thread, in its words.
std::string SslReason();

/// Certificates, keys and rules of one side. Connections that begin see the files as they are then;
/// a change that cannot be used is logged once, and what was there before stays.
///
/// Thread-safe.
class TlsContext {
 public:
  enum class Side : std::uint8_t { kServer, kClient };
  /// How often the files are looked at, at the most.
  static constexpr Duration kLook = std::chrono::seconds(1);

  /// INVALID_ARGUMENT with Phase::kConfigure, in one sentence that names the option, for files that
  /// cannot be used. `logger` must outlive the context.
  static Result<std::shared_ptr<TlsContext>> Make(Side side, const transport::Tls& config,
                                                  Logger& logger, Duration look = kLook);

  /// One end of a connection to come.
  SslPtr NewEnd();

  Side side() const { return side_; }
  const transport::Tls& config() const { return config_; }

 private:
  // What tells one state of a file from another.
  struct Mark {
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    std::int64_t size = -1;
    std::uint64_t inode = 0;
    bool operator==(const Mark&) const = default;
  };

  TlsContext(Side side, transport::Tls config, Logger& logger, Duration look);
  std::vector<Mark> Marks() const;
  void Refresh();

  const Side side_;
  const transport::Tls config_;
  Logger& logger_;
  const Duration look_;
  std::mutex mutex_;
  SslCtxPtr context_;
  std::vector<Mark> marks_;  // of the files when they were last read
  TimePoint looked_{};
};

}  // namespace micro::net
