#pragma once

#include <string>
#include <string_view>

// Where go-micro v2 keeps its records in etcd.
namespace micro::etcd {

/// "/micro/registry/<service>/<node>", with '-' for each '/' of either.
std::string KeyOf(std::string_view service, std::string_view node);

/// What the keys of a service's nodes begin with; those of all services when it is empty.
std::string PrefixOf(std::string_view service);

/// The first key behind all that begin with `prefix`, as etcd's ranges want it.
std::string EndOf(std::string prefix);

}  // namespace micro::etcd
