// Bytes from a stranger, through the port that tells from them what is spoken: HTTP/1.1 with
// Connect, gRPC-Web and pages above it, or HTTP/2. The connection is closed in the end and nothing
// else happens.
#include <string>

#include "victim.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto* const victim = new micro::fuzz::Victim;  // lives as long as the process
  victim->Serve(AsText(data, size));
  return 0;
}
