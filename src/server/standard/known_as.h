#pragma once

#include <deque>
#include <string>
#include <vector>

#include "micro/handler.h"

namespace micro::server {

/// A generated handler under the name that the world knows its service by. The messages keep our
/// own package: two files that define the same names cannot be in one program.
template <typename Base>
class KnownAs : public Base {
 public:
  std::string_view name() const override { return name_; }
  std::span<const Method> methods() const override { return methods_; }

 protected:
  explicit KnownAs(std::string name) : name_(std::move(name)) {
    for (const Method& method : Base::methods()) {
      const std::string_view path = method.info.path;
      paths_.push_back("/" + name_ + std::string(path.substr(path.rfind('/'))));
      methods_.push_back(method);
      methods_.back().info.path = paths_.back();
    }
  }

 private:
  std::string name_;
  std::deque<std::string> paths_;
  std::vector<Method> methods_;
};

}  // namespace micro::server
