#pragma once

#include <memory>
#include <string>

#include "micro/codec.h"
#include "micro/runtime.h"
#include "micro/transport.h"

namespace micro {

struct ServerParts {
  std::string name;
  std::string address;
  Runtime* runtime = nullptr;
  std::shared_ptr<Transport> transport;
  Codecs codecs;
  std::size_t max_in_flight = 0;  ///< calls at a time; 0: no limit
};

}  // namespace micro
