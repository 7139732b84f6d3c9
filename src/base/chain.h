#pragma once

#include <vector>

#include "micro/middleware.h"

namespace micro {

/// Middleware around one call: the steps from the outermost in, to the call itself.
class Chain {
 public:
  /// Runs `last` with `middleware` around it. The chain, and both, must outlive the task.
  Task<Status> Run(const std::vector<Middleware>& middleware, Next::Step& last, Context& context) {
    if (middleware.empty()) return last.Run(context);
    steps_.resize(middleware.size());
    for (std::size_t i = 0; i < middleware.size(); ++i) {
      steps_[i].middleware = &middleware[i];
      steps_[i].next = i + 1 < middleware.size() ? &steps_[i + 1] : &last;
    }
    return steps_.front().Run(context);
  }

 private:
  struct Link final : Next::Step {
    Task<Status> Run(Context& context) override { return (*middleware)(context, Next(*next)); }

    const Middleware* middleware = nullptr;
    Next::Step* next = nullptr;
  };

  std::vector<Link> steps_;
};

}  // namespace micro
