#include "micro/metadata.h"

#include <algorithm>

namespace micro {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// `kept` is in lower case already.
bool SameKey(std::string_view kept, std::string_view asked) {
  return kept.size() == asked.size() &&
         std::equal(kept.begin(), kept.end(), asked.begin(),
                    [](char a, char b) { return a == b || a == Lower(b); });
}

}  // namespace

Metadata::Metadata(std::initializer_list<Entry> entries) {
  for (const auto& [key, value] : entries) Add(key, value);
}

void Metadata::Add(std::string_view key, std::string_view value) {
  const std::size_t offset = text_.size();
  text_.append(key).append(value);
  char* const kept = text_.data() + offset;
  std::transform(kept, kept + key.size(), kept, Lower);
  slots_.push_back({static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(key.size()),
                    static_cast<std::uint32_t>(value.size())});
}

void Metadata::Set(std::string_view key, std::string_view value) {
  const std::string kept(value);  // `value` may be a view into this very object
  const std::string name(key);
  Remove(name);
  Add(name, kept);
}

std::size_t Metadata::Remove(std::string_view key) {
  const std::size_t gone =
      std::erase_if(slots_, [&](const Slot& slot) { return SameKey(At(slot).first, key); });
  if (gone == 0) return 0;
  std::string text;
  for (Slot& slot : slots_) {
    const auto offset = static_cast<std::uint32_t>(text.size());
    text.append(text_, slot.offset, std::size_t{slot.key} + slot.value);
    slot.offset = offset;
  }
  text_ = std::move(text);
  return gone;
}

std::optional<std::string_view> Metadata::Get(std::string_view key) const {
  for (const Slot& slot : slots_) {
    const auto [name, value] = At(slot);
    if (SameKey(name, key)) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Metadata::GetAll(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const auto& [name, value] : *this) {
    if (SameKey(name, key)) values.push_back(value);
  }
  return values;
}

void Metadata::Append(const Metadata& other) {
  if (&other == this) return Append(Metadata(other));
  for (const auto& [key, value] : other) Add(key, value);
}

void Metadata::Clear() {
  text_.clear();
  slots_.clear();
}

bool operator==(const Metadata& a, const Metadata& b) { return std::ranges::equal(a, b); }

std::string TitleCase(std::string_view key) {
  std::string title(key);
  bool raise = true;
  for (char& c : title) {
    if (raise) c = Upper(c);
    raise = !IsWordCharacter(c);
  }
  return title;
}

}  // namespace micro
