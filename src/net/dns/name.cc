#include "net/dns/name.h"

namespace micro::dns {
namespace {

std::size_t LengthAt(std::string_view wire, std::size_t at) {
  return static_cast<unsigned char>(wire[at]);
}

Failure NoName(std::string_view text, std::string_view why) {
  return InvalidArgument("\"" + std::string(text) + "\" cannot be a DNS name: " + std::string(why));
}

}  // namespace

Result<Name> Name::FromText(std::string_view text) {
  const std::string_view original = text;
  if (text.ends_with('.')) text.remove_suffix(1);
  Name name;
  while (!text.empty()) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty()) return NoName(original, "a label between two dots is empty");
    if (label.size() > kMaxLabel) return NoName(original, "a label has more than 63 octets");
    if (!name.Append(label)) return NoName(original, "it has more than 255 octets");
    if (dot == std::string_view::npos) return name;
    text.remove_prefix(dot + 1);
    if (text.empty()) return NoName(original, "a label between two dots is empty");
  }
  if (!original.empty()) return NoName(original, "a label between two dots is empty");
  return name;
}

std::string Name::ToText() const {
  std::string text;
  for (std::size_t at = 0; wire_[at] != '\0'; at += LengthAt(wire_, at) + 1) {
    if (at != 0) text += '.';
    text.append(wire_, at + 1, LengthAt(wire_, at));
  }
  return text;
}

std::string_view Name::FirstLabel() const {
  return std::string_view(wire_).substr(1, LengthAt(wire_, 0));
}

bool Name::Append(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel) return false;
  if (wire_.size() + label.size() + 1 > kMaxOctets) return false;
  wire_.back() = static_cast<char>(label.size());
  wire_ += label;
  wire_ += '\0';
  return true;
}

Result<Name> Name::Under(const Name& suffix) const {
  Name whole;
  whole.wire_ = wire_.substr(0, wire_.size() - 1) + suffix.wire_;
  if (whole.wire_.size() <= kMaxOctets) return whole;
  return NoName(ToText() + "." + suffix.ToText(), "it has more than 255 octets");
}

Name Name::Before(const Name& suffix) const {
  Name prefix;
  std::size_t at = 0;
  while (wire_.size() - at > suffix.wire_.size()) at += LengthAt(wire_, at) + 1;
  if (std::string_view(wire_).substr(at) != suffix.wire_) return prefix;
  prefix.wire_.insert(0, wire_, 0, at);
  return prefix;
}

}  // namespace micro::dns
