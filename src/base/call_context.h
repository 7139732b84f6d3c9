#pragma once

#include "micro/context.h"

namespace micro {

/// A Context as the pipelines of client and server make and drive it.
class CallContext final : public Context {
 public:
  using Context::attributes_;
  using Context::Cancel;
  using Context::compression_;
  using Context::deadline_;
  using Context::metadata_;
  using Context::path_;
  using Context::peer_;
  using Context::received_compression_;
  using Context::Reset;
  using Context::response_metadata_;
  using Context::service_;
  using Context::trace_;
  using Context::trailers_;
};

}  // namespace micro
