#pragma once

#include <string>
#include <string_view>

#include "micro/error.h"
#include "micro/metadata.h"

// Errors on the wire: `grpc-status-details-bin` is a google.rpc.Status whose first detail is
// go-micro's errors.Error, for everyone; `grpc-message` is the error as JSON for callers that are
// go-micro's, as v2 writes it, and its detail for others (docs/adr/004-error-text.md).
namespace micro::grpc {

/// {"id":…,"code":…,"detail":…,"status":…}: members in that order, empty ones left out, escaped as
/// Go does.
std::string ErrorJson(const Error& error);

/// The message that an error is to go-micro, and its bytes.
inline constexpr char kErrorName[] = "errors.Error";
std::string EncodeError(const Error& error);

/// The detail, in valid UTF-8: what is not is replaced.
std::string ErrorText(const Error& error);

/// The google.rpc.Status of an error, not yet in base64. `message` is its ErrorJson or ErrorText.
std::string ErrorDetails(const Error& error, const std::string& message);

/// The error that a call ended with. Looks for an errors.Error among the details (`details`: bytes
/// of a google.rpc.Status, may be empty), then for JSON in the message, then goes by the gRPC code.
Error ReadError(Code code, std::string_view message, std::string_view details);

}  // namespace micro::grpc
