#include "micro/transport.h"

namespace micro::transport {

void CallHead::Clear() {
  path.clear();
  content_type.clear();
  authority.clear();
  metadata.Clear();
  deadline.reset();
  safe = false;
  compression = Compression::kNone;
}

}  // namespace micro::transport
