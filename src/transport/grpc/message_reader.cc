#include "transport/grpc/message_reader.h"

#include <algorithm>
#include <utility>

#include "base/gzip.h"

namespace micro::grpc {
namespace {

// What a pooled reader keeps of a message's memory, and what it sets aside before bytes arrive.
constexpr std::size_t kKept = 16U << 10U;

void Shrink(std::string& text) {
  if (text.capacity() > kKept) text = std::string();
  text.clear();
}

}  // namespace

Status MessageReader::Append(std::string_view bytes) {
  if (ready_ || waiting() > 0) {
    rest_.append(bytes);
    return Ok();
  }
  const auto used = Fill(bytes);
  if (!used) return Failure(used.error());
  rest_.append(bytes.substr(*used));
  return Ok();
}

// Reads up to the end of one message; says how many bytes that took.
Result<std::size_t> MessageReader::Fill(std::string_view bytes) {
  std::size_t used = 0;
  if (filled_ < kPrefix) {
    used = std::min(kPrefix - filled_, bytes.size());
    std::copy_n(bytes.begin(), used, prefix_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += used;
    if (filled_ < kPrefix) return used;
    if (Status opened = OpenMessage(); !opened) return Failure(opened.error());
  }
  const std::size_t size = std::min(size_ - message_.size(), bytes.size() - used);
  MakeRoom(size);
  message_.append(bytes.substr(used, size));
  ready_ = message_.size() == size_;
  if (ready_ && prefix_[0] == 1) {
    if (Status inflated = Inflate(); !inflated) return Failure(inflated.error());
  }
  return used + size;
}

Status MessageReader::OpenMessage() {
  size_ = std::size_t{prefix_[1]} << 24U | std::size_t{prefix_[2]} << 16U |
          std::size_t{prefix_[3]} << 8U | std::size_t{prefix_[4]};
  if (prefix_[0] == 1 && compression_ == Compression::kNone) {
    return Internal("a compressed message came, and no grpc-encoding was agreed");
  }
  if (prefix_[0] > 1) return Internal("a message with unknown flags came");
  if (size_ > max_message_) {
    return ResourceExhausted("a message of " + std::to_string(size_) +
                             " bytes is over the limit of " + std::to_string(max_message_) +
                             " (--max_message_size)");
  }
  return Ok();
}

// A peer may announce much and send little: memory grows with what really comes.
void MessageReader::MakeRoom(std::size_t more) {
  const std::size_t needed = message_.size() + more;
  if (needed > message_.capacity()) message_.reserve(std::min(size_, std::max(kKept, 4 * needed)));
}

Status MessageReader::Inflate() {
  auto inflated = Gunzip(message_, max_message_);
  if (!inflated && inflated.error().code() == Code::kResourceExhausted) {
    return Failure(std::move(inflated.error()));
  }
  if (!inflated) return Internal("a message said to be compressed is no gzip");
  message_ = *std::move(inflated);
  return Ok();
}

Status MessageReader::Take(std::string& message) {
  std::swap(message, message_);
  message_.clear();
  ready_ = false;
  filled_ = 0;
  return waiting() > 0 ? Refill() : Ok();
}

Status MessageReader::Refill() {
  const auto used = Fill(std::string_view(rest_).substr(used_));
  if (!used) return Failure(used.error());
  used_ += *used;
  if (waiting() == 0) {
    rest_.clear();
    used_ = 0;
  } else if (used_ > kKept) {
    rest_.erase(0, used_);
    used_ = 0;
  }
  return Ok();
}

void MessageReader::Clear() {
  filled_ = size_ = used_ = 0;
  ready_ = false;
  compression_ = Compression::kNone;
  Shrink(message_);
  Shrink(rest_);
}

void WritePrefix(std::string& frame) {
  const std::size_t size = frame.size() - 5;
  frame[0] = 0;
  frame[1] = static_cast<char>(size >> 24U);
  frame[2] = static_cast<char>(size >> 16U);
  frame[3] = static_cast<char>(size >> 8U);
  frame[4] = static_cast<char>(size);
}

void WriteCompressed(std::string& frame) {
  constexpr std::size_t kPrefix = 5;
  std::string packed(kPrefix, '\0');
  Gzip(std::string_view(frame).substr(kPrefix), packed);
  const bool smaller = packed.size() < frame.size();
  if (smaller) frame = std::move(packed);
  WritePrefix(frame);
  if (smaller) frame[0] = 1;
}

}  // namespace micro::grpc
