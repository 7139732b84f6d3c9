// Any trailers make an error, and an error that was read is written and read as the same.
#include <cstddef>
#include <string>

#include "expect.h"
#include "transport/grpc/status_details.h"

namespace micro::grpc {
namespace {

void Check(const Error& error) {
  const std::string json = ErrorJson(error);
  Expect(json.starts_with('{') && json.ends_with('}'));
  const Error again = ReadError(error.code(), json, ErrorDetails(error, json));
  Expect(again.code() == error.code() && again.http_code() == error.http_code());
  Expect(again.id() == error.id() && again.detail() == error.detail());
}

}  // namespace
}  // namespace micro::grpc

// The input: a code, how long the message is, the message, the details.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto code = static_cast<micro::Code>(1 + data[0] % 16);
  const std::string_view rest = AsText(data + 2, size - 2);
  const std::string_view message = rest.substr(0, data[1]);
  const micro::Error error = micro::grpc::ReadError(code, message, rest.substr(message.size()));
  Expect(error.code() == code);
  micro::grpc::Check(error);
  return 0;
}
