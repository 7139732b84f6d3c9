#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/tls_context.h"

namespace micro::natsd {

/// One end of a TLS connection on a socket that does not block.
class TlsEnd {
 public:
  enum class Step : std::uint8_t { kDone, kRead, kWrite, kFailed };

  /// Who dials expects a certificate for `host`.
  TlsEnd(net::TlsContext& context, int descriptor, const std::string& host);

  Step Shake();
  /// As recv(2) and send(2). Both may wait for either direction; EAGAIN stands for both. When
  /// Read fills all there is room for, more may be there that the socket does not tell of.
  ssize_t Read(char* bytes, std::size_t size);
  ssize_t Write(std::string_view bytes);
  void Goodbye();
  /// Why it failed.
  const std::string& why() const { return why_; }

 private:
  ssize_t Judge(int result);

  net::SslPtr ssl_;
  int descriptor_;
  std::string why_;
  bool broken_ = false;
};

}  // namespace micro::natsd
