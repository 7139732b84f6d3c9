#include "base/gzip.h"

#include <algorithm>
#include <array>

#include <zlib.h>

namespace micro {
namespace {

constexpr std::size_t kPiece = 16U << 10U;
constexpr int kGzipWindow = MAX_WBITS + 16;  // zlib's way to ask for gzip's format
constexpr int kDefaultMemory = 8;

// zlib counts input in 32 bits.
void SetInput(z_stream& stream, std::string_view bytes) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
}

class Inflater {
 public:
  Inflater() : ready_(inflateInit2(&stream_, kGzipWindow) == Z_OK) {}
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  z_stream& stream() { return stream_; }
  bool ready() const { return ready_; }

 private:
  z_stream stream_{};
  bool ready_;
};

}  // namespace

void Gzip(std::string_view bytes, std::string& out) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kDefaultMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return;
  }
  SetInput(stream, bytes);
  const std::size_t before = out.size();
  out.resize(before + deflateBound(&stream, bytes.size()));
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream.avail_out = static_cast<uInt>(out.size() - before);
  deflate(&stream, Z_FINISH);
  out.resize(before + stream.total_out);
  deflateEnd(&stream);
}

Result<std::string> Gunzip(std::string_view bytes, std::size_t most) {
  Inflater inflater;
  if (!inflater.ready()) return ResourceExhausted("there is no memory to inflate a message");
  z_stream& stream = inflater.stream();
  SetInput(stream, bytes);
  std::string text;
  std::array<Bytef, kPiece> piece{};
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = piece.data();
    stream.avail_out = piece.size();
    state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t size = piece.size() - stream.avail_out;
    if (size > most - text.size()) {
      return ResourceExhausted("a compressed message is over the limit of " + std::to_string(most) +
                               " bytes (--max_message_size)");
    }
    text.append(reinterpret_cast<const char*>(piece.data()), size);
    if (state == Z_OK && size == 0 && stream.avail_in == 0) break;
  }
  if (state == Z_STREAM_END && stream.avail_in == 0) return text;
  return InvalidArgument("the message is no gzip");
}

}  // namespace micro
