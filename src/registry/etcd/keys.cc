#include "registry/etcd/keys.h"

#include <algorithm>

namespace micro::etcd {
namespace {

constexpr std::string_view kRoot = "/micro/registry/";

std::string Part(std::string_view name) {
  std::string part(name);
  std::ranges::replace(part, '/', '-');
  return part;
}

}  // namespace

std::string KeyOf(std::string_view service, std::string_view node) {
  return PrefixOf(service) + Part(node);
}

std::string PrefixOf(std::string_view service) {
  std::string prefix(kRoot);
  if (!service.empty()) prefix += Part(service) + "/";
  return prefix;
}

std::string EndOf(std::string prefix) {
  // Ours end with a slash: its successor is a plain character.
  ++prefix.back();
  return prefix;
}

}  // namespace micro::etcd
