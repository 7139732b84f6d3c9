#include "registry/merge.h"

#include <algorithm>

namespace micro {
namespace {

void MergeNode(std::vector<Node>& nodes, Node node) {
  const auto same = std::ranges::find(nodes, node.id, &Node::id);
  if (same == nodes.end()) {
    nodes.push_back(std::move(node));
  } else {
    *same = std::move(node);
  }
}

}  // namespace

void MergeService(std::vector<ServiceInfo>& services, ServiceInfo service) {
  const auto same = std::ranges::find(services, service.version, &ServiceInfo::version);
  if (same == services.end()) {
    services.push_back(std::move(service));
    return;
  }
  std::vector<Node> nodes = std::move(same->nodes);
  for (Node& node : service.nodes) MergeNode(nodes, std::move(node));
  *same = std::move(service);
  same->nodes = std::move(nodes);
}

}  // namespace micro
