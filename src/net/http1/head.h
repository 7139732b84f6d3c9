#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "micro/metadata.h"

namespace micro::http1 {

/// How the other side learns where a response ends.
enum class Framing : std::uint8_t {
  kNone,     ///< there is no body, and nothing is said of one
  kLength,   ///< a Content-Length
  kChunked,  ///< chunks
  kClose,    ///< the connection's end
};

struct ResponseHead {
  int status = 200;
  const Metadata* fields = nullptr;
  Framing framing = Framing::kLength;
  std::size_t length = 0;
  bool close = false;  ///< whether the connection is closed behind it
};

/// Appends a response's status line and fields, with an empty line behind them.
void WriteHead(const ResponseHead& head, std::string& out);
/// Appends a chunk; an empty one is left out, as it would be the last.
void WriteChunk(std::string_view bytes, std::string& out);
void WriteLastChunk(std::string& out);

/// How many bytes of `bytes` are a request's head, its empty line included; nothing when it is not
/// complete. `looked` bytes, which are raised, are known to hold no end.
std::optional<std::size_t> FindHeadEnd(std::string_view bytes, std::size_t& looked);

/// Why the lines of `head`, which may break off, are none that a head may have; empty where they
/// may be. Looks at what stands from `from` on. A server that is lenient here can be made to see
/// other requests than the proxy before it does.
std::string_view LineFault(std::string_view head, std::size_t from);

}  // namespace micro::http1
