#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "micro/compression.h"
#include "micro/error.h"

namespace micro::grpc {

/// Cuts a stream of bytes into gRPC's length-prefixed messages: a byte of flags, four of length in
/// network order, then the message. Holds one message, and raw what came behind it.
class MessageReader {
 public:
  explicit MessageReader(std::size_t max_message) : max_message_(max_message) {}

  void set_limit(std::size_t max_message) { max_message_ = max_message; }
  /// How messages that say so are compressed; until Clear.
  void set_compression(Compression compression) { compression_ = compression; }

  /// Takes bytes as they come. RESOURCE_EXHAUSTED for a message over the limit, known as soon as
  /// its prefix is there, or enough of it is inflated; INTERNAL for flags that no encoding was
  /// agreed on, and for what cannot be inflated.
  Status Append(std::string_view bytes);

  /// Whether a whole message is there.
  bool ready() const { return ready_; }
  /// Whether a message has begun and is not whole.
  bool within() const { return !ready_ && filled_ > 0; }
  /// Bytes that wait behind the message at hand.
  std::size_t waiting() const { return rest_.size() - used_; }

  /// Swaps the message out and goes on to the next.
  Status Take(std::string& message);

  /// Forgets everything and keeps some memory.
  void Clear();

 private:
  static constexpr std::size_t kPrefix = 5;

  Result<std::size_t> Fill(std::string_view bytes);
  Status OpenMessage();
  void MakeRoom(std::size_t more);
  Status Inflate();
  Status Refill();

  std::size_t max_message_;
  Compression compression_ = Compression::kNone;
  std::array<std::uint8_t, kPrefix> prefix_{};
  std::size_t filled_ = 0;  // bytes of the prefix that are there
  std::size_t size_ = 0;
  bool ready_ = false;
  std::string message_;
  std::string rest_;
  std::size_t used_ = 0;  // bytes of rest_ that were read
};

/// The prefix of a message of `size` bytes, written to the first five bytes of `frame`.
void WritePrefix(std::string& frame);
/// The same for a message that is packed first, unless that makes it no smaller.
void WriteCompressed(std::string& frame);

}  // namespace micro::grpc
