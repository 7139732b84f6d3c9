#include "natsd/config/keys.h"

#include <algorithm>

namespace micro::natsd::config {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

}  // namespace

Status ReadKeys(const Value& value, std::string_view within, const std::vector<Key>& keys) {
  const std::string place = within.empty() ? std::string() : " in " + std::string(within);
  if (value.map() == nullptr) return Complaint(value.place, "wanted a map { … }" + place);
  for (const Value& entry : *value.map()) {
    const std::string name = Lower(entry.key);
    const auto known = std::ranges::find_if(keys, [&](const Key& key) {
      return std::ranges::find(key.names, name) != key.names.end();
    });
    if (known == keys.end() && entry.used) continue;
    if (known == keys.end()) {
      return Complaint(entry.place, "unknown key " + Quoted(entry.key) + place);
    }
    if (auto read = known->read(entry); !read) return read;
  }
  return Ok();
}

}  // namespace micro::natsd::config
