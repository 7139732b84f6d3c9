#include "discovery/report.h"

#include <algorithm>
#include <chrono>

#include <nlohmann/json.hpp>

namespace micro::discovery {
namespace {

constexpr std::size_t kWidest = 64;

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// "3.2s", as nobody reads nanoseconds.
std::string Brief(Duration duration) {
  return FormatDuration(std::chrono::floor<std::chrono::milliseconds>(duration));
}

// What strangers have put into a registry may be anything.
std::string Plain(const std::string& text) {
  std::string plain = text.substr(0, kWidest);
  for (char& c : plain) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text.size() > kWidest ? plain + "..." : plain;
}

std::string Padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text + "  ";
}

std::string StateOf(const NodeReport& node) {
  std::string state = node.rests > Duration::zero() ? "rests for " + Brief(node.rests)
                      : node.on_trial               ? "on trial"
                      : node.withdrawn              ? "withdrawn"
                                                    : "in use";
  if (node.withdrawn && node.rests > Duration::zero()) state += ", withdrawn";
  return node.why.empty() ? state : state + ": " + node.why;
}

std::vector<std::string> RowOf(const NodeReport& node) {
  return {Plain(node.id),      Plain(node.address),
          Plain(node.version), Plain(node.zone),
          Brief(node.seen),    node.in_flight ? std::to_string(*node.in_flight) : "-",
          StateOf(node)};
}

void AppendTable(std::string& text, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    text += "  ";
    for (std::size_t i = 0; i + 1 < row.size(); ++i) text += Padded(row[i], widths[i]);
    text += row.back() + "\n";
  }
}

std::string HeadOf(const ServiceReport& service) {
  std::string head = Plain(service.name) + ": " + std::to_string(service.nodes.size()) +
                     (service.nodes.size() == 1 ? " node" : " nodes") + " by " + service.source;
  if (service.looked_up) head += ", looked up " + Brief(*service.looked_up) + " ago";
  if (!service.nodes.empty() && !service.vouched) head += ", none vouched for";
  if (!service.trouble.empty()) head += ": " + Plain(service.trouble);
  return head + "\n";
}

// Bytes that are no UTF-8 are replaced when the whole is written.
nlohmann::ordered_json JsonOf(const NodeReport& node) {
  nlohmann::ordered_json json = {{"id", node.id},
                                 {"address", node.address},
                                 {"version", node.version},
                                 {"seen", Seconds(node.seen)},
                                 {"withdrawn", node.withdrawn},
                                 {"on_trial", node.on_trial},
                                 {"rests", Seconds(node.rests)},
                                 {"why", node.why}};
  if (!node.zone.empty()) json["zone"] = node.zone;
  if (node.in_flight) json["in_flight"] = *node.in_flight;
  return json;
}

nlohmann::ordered_json JsonOf(const ServiceReport& service) {
  nlohmann::ordered_json json = {
      {"name", service.name}, {"source", service.source}, {"vouched", service.vouched}};
  if (service.looked_up) json["looked_up"] = Seconds(*service.looked_up);
  if (!service.trouble.empty()) json["trouble"] = service.trouble;
  json["nodes"] = nlohmann::ordered_json::array();
  for (const NodeReport& node : service.nodes) json["nodes"].push_back(JsonOf(node));
  return json;
}

}  // namespace

std::string ToText(std::span<const ServiceReport> services) {
  if (services.empty()) return "no service was called yet\n";
  std::string text;
  for (const ServiceReport& service : services) {
    text += HeadOf(service);
    if (service.nodes.empty()) continue;
    std::vector<std::vector<std::string>> rows = {
        {"NODE", "ADDRESS", "VERSION", "ZONE", "SEEN", "CALLS", "STATE"}};
    for (const NodeReport& node : service.nodes) rows.push_back(RowOf(node));
    AppendTable(text, rows);
  }
  return text;
}

std::string ToJson(std::span<const ServiceReport> services) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const ServiceReport& service : services) json.push_back(JsonOf(service));
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace micro::discovery
