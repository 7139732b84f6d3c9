#pragma once

#include <functional>

#include "micro/context.h"
#include "micro/error.h"
#include "micro/task.h"

namespace micro {

/// The rest of a call: what stands behind a middleware. May be called once, or not at all.
class Next {
 public:
  /// One step of a pipeline; the library's.
  class Step {
   public:
    virtual ~Step() = default;
    virtual Task<Status> Run(Context& context) = 0;
  };

  explicit Next(Step& step) : step_(&step) {}
  Task<Status> operator()(Context& context) const { return step_->Run(context); }

 private:
  Step* step_;
};

/// What stands around every call of a client or of a server; the same shape on both sides.
///
///     service.Use([](micro::Context& context, micro::Next next) -> micro::Task<micro::Status> {
///       micro::Status status = co_await next(context);
///       if (!status) Count(context.path(), status.error().code());
///       co_return status;
///     });
///
/// It runs on an event loop and must not block. Those added first stand outermost. On the calling
/// side it surrounds the whole call, retries included.
using Middleware = std::function<Task<Status>(Context&, Next)>;

}  // namespace micro
