#pragma once

#include <string_view>

#include "transport/grpc/web/call.h"

// gRPC-Web: gRPC for those who see no trailers
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md).
namespace micro::web {

bool IsGrpcWeb(std::string_view content_type);

/// Serves a POST; its content type is one of gRPC-Web's.
void ServeGrpcWeb(Port& port, http::Exchange& exchange, Request request, Metadata fields);

}  // namespace micro::web
