#include "natsd/json_fields.h"

#include <limits>

namespace micro::natsd {

using nlohmann::json;

JsonFields::JsonFields(std::string_view text)
    : object_(json::parse(text.begin(), text.end(), nullptr, false)) {
  if (!object_.is_object()) status_ = InvalidArgument("this is no JSON object");
}

const json* JsonFields::Find(const char* name) const {
  if (!status_) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void JsonFields::Refuse(const char* name) {
  status_ = InvalidArgument(std::string("\"") + name + "\" is of another type than it should be");
}

void JsonFields::Read(const char* name, bool& value) {
  const json* field = Find(name);
  if (field == nullptr) return;
  if (!field->is_boolean()) return Refuse(name);
  value = field->get<bool>();
}

void JsonFields::Read(const char* name, std::string& value) {
  const json* field = Find(name);
  if (field == nullptr) return;
  if (!field->is_string()) return Refuse(name);
  value = field->get<std::string>();
}

void JsonFields::Read(const char* name, int& value) {
  const json* field = Find(name);
  if (field == nullptr) return;
  if (!field->is_number_integer()) return Refuse(name);
  const auto number = field->get<std::int64_t>();
  if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) {
    return Refuse(name);
  }
  value = static_cast<int>(number);
}

void JsonFields::Read(const char* name, std::uint64_t& value) {
  const json* field = Find(name);
  if (field == nullptr) return;
  if (!field->is_number_unsigned()) return Refuse(name);
  value = field->get<std::uint64_t>();
}

void JsonFields::Read(const char* name, std::vector<std::string>& value) {
  const json* field = Find(name);
  if (field == nullptr) return;
  if (!field->is_array()) return Refuse(name);
  value.clear();
  for (const json& entry : *field) {
    if (!entry.is_string()) return Refuse(name);
    value.push_back(entry.get<std::string>());
  }
}

}  // namespace micro::natsd
