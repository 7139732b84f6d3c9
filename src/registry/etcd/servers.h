#pragma once

#include <string>
#include <vector>

#include "micro/error.h"

namespace micro::etcd {

/// Where etcd is, as a transport dials it: each "host", "host:port", "[v6]:port", or one of these
/// behind "http://" or "https://", comes out with a port, 2379 unless it has another; those that
/// come twice come once. None given: this machine's. INVALID_ARGUMENT, quoting it, for what is no
/// address.
Result<std::vector<std::string>> ParseServers(const std::vector<std::string>& addresses);

}  // namespace micro::etcd
