#include "broker/envelope.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/utf8.h"

namespace micro::broker {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kHead = R"({"Header":{)";
constexpr std::string_view kBetween = R"(},"Body":")";
constexpr std::string_view kTail = R"("})";
constexpr std::string_view kHex = "0123456789abcdef";

// Envelopes are flat; a deeper text is not worth a stack.
constexpr int kMaxDepth = 8;

bool NeedsEscape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

void AppendString(std::string_view text, std::string& json) {
  json.push_back('"');
  for (const char c : text) {
    if (!NeedsEscape(c)) {
      json.push_back(c);
    } else if (c == '"' || c == '\\') {
      json.append({'\\', c});
    } else {
      const auto bits = static_cast<unsigned char>(c);
      json.append("\\u00").append({kHex[bits >> 4U], kHex[bits & 15U]});
    }
  }
  json.push_back('"');
}

// Whether an entry is the last of its key.
bool Counts(const Metadata& metadata, std::size_t index) {
  for (std::size_t later = index + 1; later < metadata.size(); ++later) {
    if (metadata[later].first == metadata[index].first) return false;
  }
  return true;
}

void AppendHeader(const Metadata& metadata, std::string& json) {
  bool first = true;
  for (std::size_t i = 0; i < metadata.size(); ++i) {
    if (!Counts(metadata, i)) continue;
    if (!std::exchange(first, false)) json.push_back(',');
    const auto& [key, value] = metadata[i];
    AppendString(TitleCase(key), json);
    json.push_back(':');
    AppendString(value, json);
  }
}

// --- what Go and WriteEnvelope write
// --------------------------------------------------------------

bool Take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

// A string without escapes.
bool TakeString(std::string_view& text, std::string_view& value) {
  if (!Take(text, "\"")) return false;
  const auto end = std::ranges::find_if(text, NeedsEscape);
  if (end == text.end() || *end != '"') return false;
  value = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(value.size() + 1);
  return IsUtf8(value);
}

bool TakeHeader(std::string_view& text, Metadata& metadata) {
  if (text.starts_with('}')) return true;
  do {
    std::string_view key;
    std::string_view value;
    if (!TakeString(text, key) || !Take(text, ":") || !TakeString(text, value)) return false;
    if (key.empty() || metadata.Has(key) || metadata.size() == kMaxKeys) return false;
    metadata.Add(key, value);
  } while (Take(text, ","));
  return true;
}

// --- any JSON ------------------------------------------------------------------------------------

bool EqualFold(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

const Json& Member(const Json& object, std::string_view name) {
  static const Json none;
  const Json* found = &none;
  for (const auto& [key, value] : object.items()) {
    if (key == name) return value;
    if (found->is_null() && EqualFold(key, name)) found = &value;
  }
  return *found;
}

Failure NoEnvelope(const std::string& why) {
  return InvalidArgument("a message in no envelope of go-micro's: " + why);
}

Status FillHeader(const Json& header, Metadata& metadata) {
  if (header.is_null()) return Ok();
  if (!header.is_object()) return NoEnvelope("its header is no object");
  if (header.size() > kMaxKeys) return NoEnvelope("its header has too many members");
  for (const auto& [key, value] : header.items()) {
    if (key.empty()) continue;
    if (!value.is_string() && !value.is_null()) return NoEnvelope("a header is no text");
    metadata.Set(key, value.is_null() ? std::string_view() : value.get_ref<const std::string&>());
  }
  return Ok();
}

Status FillBody(const Json& body, std::string& bytes) {
  if (body.is_null()) return Ok();
  if (!body.is_string()) return NoEnvelope("its body is no text");
  auto decoded = FromBase64(body.get_ref<const std::string&>());
  if (!decoded) return NoEnvelope("its body is no base64");
  bytes = *std::move(decoded);
  return Ok();
}

Json Parse(std::string_view text) {
  bool deep = false;
  const auto shallow = [&](int depth, Json::parse_event_t /*event*/, Json& /*parsed*/) {
    deep = deep || depth > kMaxDepth;
    return !deep;
  };
  Json json = Json::parse(text, shallow, false);
  return deep ? Json(Json::value_t::discarded) : json;
}

}  // namespace

std::string WriteEnvelope(const RawMessage& message) {
  std::string json;
  json.reserve(kHead.size() + message.metadata.bytes() + message.metadata.size() * 8 +
               message.body.size() / 3 * 4 + 32);
  json.append(kHead);
  AppendHeader(message.metadata, json);
  json.append(kBetween);
  AppendBase64(message.body, json);
  return json.append(kTail);
}

bool ReadPlainEnvelope(std::string_view text, RawMessage& message) {
  message.metadata.Clear();
  if (!Take(text, kHead) || !TakeHeader(text, message.metadata) || !Take(text, kBetween) ||
      !text.ends_with(kTail)) {
    return false;
  }
  auto body = FromBase64(text.substr(0, text.size() - kTail.size()));
  if (!body) return false;
  message.body = *std::move(body);
  return true;
}

Result<RawMessage> ReadEnvelope(std::string_view text) {
  RawMessage message;
  if (ReadPlainEnvelope(text, message)) return message;
  message = {};
  const Json json = Parse(text);
  if (json.is_null() || json.is_discarded() || !json.is_object()) {
    return NoEnvelope("it is no JSON object");
  }
  if (Status filled = FillHeader(Member(json, "Header"), message.metadata); !filled) {
    return Failure(filled.error());
  }
  if (Status filled = FillBody(Member(json, "Body"), message.body); !filled) {
    return Failure(filled.error());
  }
  return message;
}

}  // namespace micro::broker
