#pragma once

#include <micro/micro.h>

namespace bench {

/// A middleware that does nothing: what it costs is what any costs at least.
inline micro::Task<micro::Status> PassOn(micro::Context& context, micro::Next next) {
  micro::Status status = co_await next(context);
  co_return status;
}

}  // namespace bench
