#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "micro/broker.h"
#include "micro/error.h"

/// How messages travel over brokers that carry bytes only: the JSON of go-micro v2,
/// {"Header":{"Content-Type":"…"},"Body":"<base64>"}.
namespace micro::broker {

/// Metadata keys that a message may come with.
inline constexpr std::size_t kMaxKeys = 256;

/// Keys are written in Title-Case, as go-micro's subscribers look for them, and once each.
std::string WriteEnvelope(const RawMessage& message);

/// Takes member names in any case, null for everything, and members it does not know.
/// INVALID_ARGUMENT for what is no envelope.
Result<RawMessage> ReadEnvelope(std::string_view text);

/// The reader for what WriteEnvelope and Go write, and nothing else: false for any other text,
/// which may be an envelope nevertheless. It agrees with ReadEnvelope on what it reads.
bool ReadPlainEnvelope(std::string_view text, RawMessage& message);

}  // namespace micro::broker
