#pragma once

#include <google/protobuf/message.h>

#include "micro/registry.h"

namespace micro {

/// A message type as go-micro's reflection describes it: names in Go's spelling, three levels deep.
Value Describe(const google::protobuf::Descriptor& type);

}  // namespace micro
