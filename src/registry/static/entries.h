#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "micro/error.h"
#include "micro/registry.h"

namespace micro::static_registry {

/// Addresses by the service they serve; under "" those that serve every service.
using Entries = std::map<std::string, std::vector<std::string>>;

/// Adds `host:port` or `service=host:port`. INVALID_ARGUMENT for anything else.
Status AddEntry(std::string_view item, Entries& entries);

/// Adds the entries of a file: one a line; what follows a `#`, and blank lines, are skipped. What
/// is wrong with the others, each with `path` and its line, is returned.
std::vector<std::string> AddEntries(std::string_view text, const std::string& path,
                                    Entries& entries);

/// The service with all nodes that serve it; without nodes when there are none.
ServiceInfo ServiceOf(const std::string& name, const Entries& entries);

}  // namespace micro::static_registry
