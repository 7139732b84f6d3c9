#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "micro/handler.h"

namespace micro::server {

/// The method that tells how busy a server is; calls of it are not part of that.
inline constexpr std::string_view kLoadPath = "/micro.Load/Get";

/// Tells callers the calls that are under way.
std::shared_ptr<Handler> MakeLoadHandler(std::function<std::uint32_t()> in_flight);

}  // namespace micro::server
