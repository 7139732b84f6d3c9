#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "micro/error.h"

namespace micro::natsd {

/// The fields of a JSON object, read one by one. What is not there leaves things as they are, what
/// is of another type is an error.
class JsonFields {
 public:
  explicit JsonFields(std::string_view text);

  void Read(const char* name, bool& value);
  void Read(const char* name, std::string& value);
  void Read(const char* name, int& value);
  void Read(const char* name, std::uint64_t& value);
  void Read(const char* name, std::vector<std::string>& value);

  const Status& status() const { return status_; }

 private:
  const nlohmann::json* Find(const char* name) const;
  void Refuse(const char* name);

  nlohmann::json object_;
  Status status_;
};

}  // namespace micro::natsd
