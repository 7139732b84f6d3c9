#pragma once

#include <string_view>

namespace micro::grpc {

/// HTTP's phrase for a status code, such as "Not Found", as Go's net/http spells it: what
/// go-micro's errors carry as their status. Empty for codes that have none.
std::string_view Reason(int http);

}  // namespace micro::grpc
