#pragma once

#include <nghttp2/nghttp2.h>

namespace micro::http2 {

/// nghttp2's allocator over the thread's pool of small blocks. A session lives on one loop, so what
/// it allocates is freed on the same thread.
nghttp2_mem* PooledMemory();

}  // namespace micro::http2
