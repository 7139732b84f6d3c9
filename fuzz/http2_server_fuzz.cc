// Bytes from a stranger, through HTTP/2, gRPC and the server, as far as they get: the connection is
// closed in the end and nothing else happens.
#include <string>

#include "victim.h"

// An input that begins with a zero byte stands behind a good preface.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto* const victim = new micro::fuzz::Victim;  // lives as long as the process
  std::string bytes(AsText(data, size));
  if (!bytes.empty() && bytes[0] == 0) {
    const std::string settings(9, '\0');
    bytes = NGHTTP2_CLIENT_MAGIC + settings.substr(0, 3) + '\x04' + settings.substr(4) +
            bytes.substr(1);
  }
  victim->Serve(bytes);
  return 0;
}
