#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "micro/duration.h"
#include "micro/error.h"

// The small encodings of gRPC over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md).
namespace micro::grpc {

/// Writes a grpc-timeout: at most eight digits and a unit, as fine as they allow, rounded up.
std::string EncodeTimeout(Duration timeout);
/// Reads a grpc-timeout; nothing for what is none. More than 64 bits hold becomes the longest there
/// is.
std::optional<Duration> DecodeTimeout(std::string_view text);
/// When a call that came now with this grpc-timeout is too late; INVALID_ARGUMENT, quoting `text`,
/// for what is none.
Result<TimePoint> DecodeDeadline(std::string_view text);

/// Percent-encodes a grpc-message: all but printable ASCII, and '%'.
std::string PercentEncode(std::string_view text);
/// The reverse; what is no escape stays as it is.
std::string PercentDecode(std::string_view text);

/// Base64 without padding, as binary metadata travels.
std::string Base64Encode(std::string_view bytes);
/// The reverse, with or without padding; nothing for other characters.
std::optional<std::string> Base64Decode(std::string_view text);

/// Whether a metadata key carries binary values.
inline bool IsBinary(std::string_view key) { return key.ends_with("-bin"); }

/// Whether a metadata key is the protocol's own, which users neither send nor see: those of HTTP/2,
/// those that begin with "grpc-", content-type, te and what HTTP/2 forbids.
bool IsReserved(std::string_view key);

/// Whether a list such as "identity, gzip" has `token`.
bool HasToken(std::string_view list, std::string_view token);

/// Whether `key` and `value` can be sent as a header: a token in lower case, printable ASCII.
bool IsSendable(std::string_view key, std::string_view value);

}  // namespace micro::grpc
