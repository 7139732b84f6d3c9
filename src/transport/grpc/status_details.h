#pragma once

#include <string>
#include <string_view>

#include "micro/error.h"
#include "micro/metadata.h"

// Errors on the wire, as go-micro v2 writes them: `grpc-message` is the error as JSON, and
// `grpc-status-details-bin` a google.rpc.Status whose first detail is an errors.Error.
namespace micro::grpc {

/// {"id":…,"code":…,"detail":…,"status":…}: members in that order, empty ones left out, escaped as
/// Go does.
std::string ErrorJson(const Error& error);

/// The message that an error is to go-micro, and its bytes.
inline constexpr char kErrorName[] = "errors.Error";
std::string EncodeError(const Error& error);

/// The google.rpc.Status of an error, not yet in base64. `json` is its ErrorJson.
std::string ErrorDetails(const Error& error, const std::string& json);

/// The error that a call ended with. Looks for an errors.Error among the details (`details`: bytes
/// of a google.rpc.Status, may be empty), then for JSON in the message, then goes by the gRPC code.
Error ReadError(Code code, std::string_view message, std::string_view details);

}  // namespace micro::grpc
