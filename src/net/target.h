#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace micro::net {

/// What an address of the transport's names: a TCP port, or the socket of a path.
struct Target {
  HostPort tcp = {};
  std::string path = {};         ///< of a unix socket; empty: TCP
  std::optional<bool> tls = {};  ///< what the address itself demands: https:// or http://

  bool is_unix() const { return !path.empty(); }
};

/// Reads "host:port", "https://host:port", "http://host:port" and "unix:///path". INVALID_ARGUMENT,
/// quoting `address`, for anything else.
Result<Target> ParseTarget(std::string_view address);

/// What HTTP calls the node at `address`: host and port; "localhost" behind a unix socket.
std::string_view AuthorityOf(std::string_view address);

/// Whether `address` is that of a unix socket.
inline bool IsUnixAddress(std::string_view address) { return address.starts_with("unix:"); }

}  // namespace micro::net
