#pragma once

#include <string>
#include <string_view>

#include "micro/error.h"

#include "transport/grpc/web/call.h"

// The Connect protocol, unary: https://connectrpc.com/docs/protocol.
namespace micro::web {

/// Whether a content type is one of unary Connect's.
bool IsConnect(std::string_view content_type);

/// Serves a POST; its content type is one of Connect's.
void ServeConnect(Port& port, http::Exchange& exchange, Request request, Metadata fields);
/// Serves a GET that carries its message in the query.
void ServeConnectGet(Port& port, http::Exchange& exchange, Request request, Metadata fields);

/// An answer that is an error, with an HTTP status of its own or, if it is 0, that of its code.
void AnswerError(http::Exchange& exchange, Metadata fields, const Error& error, int status = 0);

/// The error for a path at which there is no method.
Error Unserved(std::string_view path);

/// A code as Connect spells it, such as "not_found".
std::string ConnectName(Code code);
/// The JSON of an error, and the HTTP status that belongs to its code.
std::string ConnectJson(const Error& error);
int ConnectStatus(Code code);

}  // namespace micro::web
