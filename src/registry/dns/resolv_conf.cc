#include "registry/dns/resolv_conf.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include <boost/asio/ip/address.hpp>

namespace micro::dns_registry {
namespace {

// glibc's bounds, but for the search domains, of which it has long had no bound.
constexpr std::size_t kMostServers = 3;
constexpr std::size_t kMostSearch = 32;
constexpr int kMostDots = 15;
constexpr int kMostSeconds = 30;
constexpr int kMostAttempts = 5;

bool IsAddress(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

void ReadNumber(std::string_view option, std::string_view name, int least, int most, int& value) {
  if (!option.starts_with(name)) return;
  option.remove_prefix(name.size());
  int read = 0;
  const auto [end, error] = std::from_chars(option.data(), option.data() + option.size(), read);
  if (error == std::errc() && end == option.data() + option.size()) {
    value = std::clamp(read, least, most);
  }
}

void ReadOption(std::string_view option, ResolvConf& conf) {
  int seconds = static_cast<int>(conf.timeout.count());
  ReadNumber(option, "ndots:", 0, kMostDots, conf.ndots);
  ReadNumber(option, "timeout:", 1, kMostSeconds, seconds);
  ReadNumber(option, "attempts:", 1, kMostAttempts, conf.attempts);
  conf.timeout = std::chrono::seconds(seconds);
}

std::string WithoutDot(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

void ReadLine(const std::string& line, ResolvConf& conf) {
  if (line.starts_with('#') || line.starts_with(';')) return;
  std::istringstream words(line);
  std::string keyword;
  std::string word;
  words >> keyword;
  if (keyword == "search" || keyword == "domain") conf.search.clear();
  while (words >> word) {
    if (keyword == "nameserver" && conf.servers.size() < kMostServers) {
      if (auto server = ParseNameserver(word)) conf.servers.push_back(*std::move(server));
    } else if (keyword == "search" || keyword == "domain") {
      if (word = WithoutDot(word); !word.empty() && conf.search.size() < kMostSearch)
        conf.search.push_back(word);
    } else if (keyword == "options") {
      ReadOption(word, conf);
    }
  }
}

}  // namespace

Result<HostPort> ParseNameserver(std::string_view text) {
  if (IsAddress(std::string(text))) return HostPort{.host = std::string(text), .port = kDnsPort};
  auto server = ParseHostPort(text);
  if (server && server->port != 0 && IsAddress(server->host)) return server;
  return InvalidArgument("\"" + std::string(text) +
                         "\" is no nameserver; write it like 10.0.0.10 or 10.0.0.10:53");
}

ResolvConf ParseResolvConf(std::string_view text) {
  ResolvConf conf;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) ReadLine(line, conf);
  if (conf.servers.empty()) conf.servers = {{.host = "127.0.0.1", .port = kDnsPort}};
  return conf;
}

ResolvConf SystemResolvConf() {
  std::ifstream file("/etc/resolv.conf");
  std::ostringstream text;
  text << file.rdbuf();
  return ParseResolvConf(text.str());
}

std::vector<std::string> Candidates(std::string_view name, const ResolvConf& conf) {
  if (name.ends_with('.')) return {WithoutDot(std::string(name))};
  std::vector<std::string> names;
  for (const std::string& domain : conf.search) names.push_back(std::string(name) + "." + domain);
  const auto dots = std::ranges::count(name, '.');
  names.insert(dots >= conf.ndots ? names.begin() : names.end(), std::string(name));
  return names;
}

}  // namespace micro::dns_registry
