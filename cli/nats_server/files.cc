#include "files.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/address.h"
#include "base/misconfigured.h"

namespace micro::natsd {
namespace {

struct FreeInterfaces {
  void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

std::string Ipv4Of(const sockaddr* address) {
  std::string text(INET_ADDRSTRLEN, '\0');
  // NOLINTNEXTLINE(*-reinterpret-cast): as the family says
  const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(address);
  ::inet_ntop(AF_INET, &ipv4->sin_addr, text.data(), INET_ADDRSTRLEN);
  return text.substr(0, text.find('\0'));
}

// The addresses of this machine, for a host that means all of them.
std::vector<std::string> HostsOf(const std::string& host) {
  if (host != "0.0.0.0" && host != "::" && !host.empty()) return {host};
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {"127.0.0.1"};
  const std::unique_ptr<ifaddrs, FreeInterfaces> list(first);
  std::vector<std::string> hosts;
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    const bool usable = (at->ifa_flags & IFF_UP) != 0 && at->ifa_addr != nullptr;
    if (usable && at->ifa_addr->sa_family == AF_INET) hosts.push_back(Ipv4Of(at->ifa_addr));
  }
  return hosts;
}

void Add(nlohmann::json& page, const char* key, const std::string& scheme, const std::string& host,
         std::uint16_t port) {
  if (port == 0) return;
  for (const std::string& one : HostsOf(host)) {
    page[key].push_back(scheme + "://" + JoinHostPort(one, port));
  }
}

}  // namespace

// A reader sees all of it or nothing.
Result<NoteFile> NoteFile::Write(const std::string& path, const std::string& text) {
  const std::string draft = path + "." + std::to_string(::getpid()) + ".tmp";
  std::ofstream file(draft, std::ios::binary);
  file << text;
  file.close();
  if (!file || std::rename(draft.c_str(), path.c_str()) != 0) {
    ::unlink(draft.c_str());
    return Misconfigured("cannot write the file " + path);
  }
  NoteFile note;
  note.path_ = path;
  return note;
}

NoteFile::~NoteFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

std::string PortsText(const Options& options, const Ports& ports) {
  nlohmann::json page = nlohmann::json::object();
  Add(page, "nats", options.tls.on() ? "tls" : "nats", options.host, ports.client);
  Add(page, "monitoring", "http",
      options.monitor_host.empty() ? options.host : options.monitor_host, ports.monitor);
  Add(page, "cluster", options.cluster.tls.on() ? "tls" : "nats", options.cluster.host,
      ports.cluster);
  return page.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace micro::natsd
