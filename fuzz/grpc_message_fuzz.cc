// However a stream of bytes is cut, the same messages come out of it, and the same error.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "expect.h"
#include "transport/grpc/message_reader.h"

namespace micro::grpc {
namespace {

constexpr std::size_t kLimit = 256;

struct Outcome {
  std::vector<std::string> messages;
  std::optional<Code> error;
  bool within = false;
  bool operator==(const Outcome&) const = default;
};

// False once the bytes turned out to be wrong.
bool TakeReady(MessageReader& reader, Outcome& outcome) {
  while (reader.ready()) {
    const Status next = reader.Take(outcome.messages.emplace_back());
    if (!next) outcome.error = next.error().code();
    if (!next) return false;
  }
  return true;
}

// In chunks of `chunk` bytes, of which `eager` ones are read at once.
Outcome Read(std::string_view bytes, std::size_t chunk, bool eager) {
  MessageReader reader(kLimit);
  Outcome outcome;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(chunk, bytes.size()))) {
    const Status status = reader.Append(bytes.substr(0, chunk));
    if (!status) {
      outcome.error = status.error().code();
      return outcome;
    }
    if (eager && !TakeReady(reader, outcome)) return outcome;
  }
  if (TakeReady(reader, outcome)) outcome.within = reader.within();
  return outcome;
}

}  // namespace
}  // namespace micro::grpc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = AsText(data + 1, size - 1);
  const std::size_t chunk = std::size_t{1} + data[0] % 32;
  const auto whole = micro::grpc::Read(bytes, bytes.size() + 1, true);
  Expect(micro::grpc::Read(bytes, chunk, true) == whole);
  Expect(micro::grpc::Read(bytes, chunk, false) == whole);
  return 0;
}
