#pragma once

#include <map>
#include <string>

namespace micro {

/// Which nodes of a service a call may go to. What is empty excludes nothing.
///
///     const micro::NodeFilter canary = {.version = "2.1", .labels = {{"tier", "canary"}}};
///     auto response = greeter.Hello(request, {.filter = &canary});
struct NodeFilter {
  /// The service's version.
  std::string version = {};
  /// Of the node's metadata: all of these, with these values.
  std::map<std::string, std::string> labels = {};
  /// What the node must serve, as the registry names it: "Greeter.Hello".
  std::string endpoint = {};

  auto operator<=>(const NodeFilter&) const = default;
};

}  // namespace micro
