#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace micro::http2 {

/// The streams that a connection has reset of late. Until the other side hears of it, its frames
/// for such a stream are no mistake; for any other stream that is over they are one.
///
/// Memory is bounded: of streams too long gone it says that they may have been reset.
class ResetStreams {
 public:
  void Add(std::int32_t id);
  /// Whether `id` was reset, as far as is known; never false for one that was.
  bool MayHave(std::int32_t id) const;

 private:
  std::array<std::int32_t, 64> ids_{};  // 0: none
  std::size_t next_ = 0;
  std::int32_t forgotten_ = 0;  // the highest that had to make room
};

}  // namespace micro::http2
