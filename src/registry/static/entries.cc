#include "registry/static/entries.h"

#include <algorithm>

#include "net/target.h"

namespace micro::static_registry {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

void AddNodes(const Entries& entries, const std::string& key, ServiceInfo& service) {
  const auto found = entries.find(key);
  if (found == entries.end()) return;
  for (const std::string& address : found->second) {
    Node node{.id = service.name + "-" + address, .address = address};
    if (std::ranges::find(service.nodes, node) == service.nodes.end()) {
      service.nodes.push_back(std::move(node));
    }
  }
}

}  // namespace

Status AddEntry(std::string_view item, Entries& entries) {
  const std::size_t equals = item.find('=');
  const bool named = equals != std::string_view::npos;
  if (named && equals == 0) {
    return InvalidArgument("\"" + std::string(item) + "\" names no service before the \"=\"");
  }
  const std::string_view address = named ? item.substr(equals + 1) : item;
  const auto target = net::ParseTarget(address);
  if (!target) return Fails(target.error());
  if (!target->is_unix() && (target->tcp.host.empty() || target->tcp.port == 0)) {
    return InvalidArgument("\"" + std::string(address) +
                           "\" is nothing to connect to; write it like host:port");
  }
  entries[named ? std::string(item.substr(0, equals)) : ""].emplace_back(address);
  return Ok();
}

std::vector<std::string> AddEntries(std::string_view text, const std::string& path,
                                    Entries& entries) {
  std::vector<std::string> faults;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view item = Trim(line.substr(0, line.find('#')));
    if (item.empty()) continue;
    if (const Status added = AddEntry(item, entries); !added) {
      faults.push_back(path + ":" + std::to_string(number) + ": " + added.error().detail());
    }
  }
  return faults;
}

ServiceInfo ServiceOf(const std::string& name, const Entries& entries) {
  // go-micro's version of a service that was given none.
  ServiceInfo service{.name = name, .version = "latest"};
  AddNodes(entries, name, service);
  AddNodes(entries, "", service);
  return service;
}

}  // namespace micro::static_registry
