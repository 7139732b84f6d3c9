#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "micro/transport.h"

#include "net/http/exchange.h"

namespace micro::web {

/// A request that came by HTTP and is no gRPC.
struct Request {
  std::string method;
  transport::CallHead head;  ///< its path has no query
  std::string query;         ///< what stands behind the '?'
  Status status;             ///< what is wrong with the head
};

/// Reads a request from its head.
Request ReadRequest(http::Request head);

/// Cuts a target into path and query.
void SplitTarget(Request& request);

/// Whether a metadata key is the protocol's own in HTTP, Connect or gRPC-Web, which users neither
/// send nor see.
bool IsReserved(std::string_view key);

/// Takes a header out of the request: its value, empty when it is not there.
std::string TakeField(Request& request, std::string_view name);

/// Adds what users may send of `metadata` to header fields, each key behind `prefix`; binary values
/// are encoded.
void AddMetadata(const Metadata& metadata, std::string_view prefix, Metadata& fields);

/// A parameter of a query, decoded; nothing where it is not there.
std::optional<std::string> Parameter(std::string_view query, std::string_view name);

}  // namespace micro::web
