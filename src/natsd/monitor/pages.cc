#include "natsd/monitor/pages.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <fstream>
#include <string_view>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

namespace micro::natsd::monitor {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::duration_cast;
using std::chrono::seconds;

// Names that clients chose may be no UTF-8.
std::string Text(const Json& page) {
  return page.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Since(WallTime start, WallTime now) {
  return FormatUptime(duration_cast<seconds>(std::max(now - start, WallTime::duration::zero())));
}

std::string AddressOf(const std::string& host, const std::string& fallback) {
  return host.empty() ? fallback : host;
}

void AddTraffic(Json& page, const Traffic& traffic) {
  page["in_msgs"] = traffic.in_messages;
  page["out_msgs"] = traffic.out_messages;
  page["in_bytes"] = traffic.in_bytes;
  page["out_bytes"] = traffic.out_bytes;
}

Json ClusterOf(const ServerStats& server, const Options& options) {
  if (options.cluster.port == 0) return Json::object();
  Json cluster = {
      {"name", server.cluster},
      {"addr", options.cluster.host},
      {"cluster_port", options.cluster.port},
      {"auth_timeout", std::chrono::duration<double>(options.cluster.auth_timeout).count()}};
  for (const RouteUrl& url : options.cluster.routes) {
    cluster["urls"].push_back(url.host + ":" + std::to_string(url.port));
  }
  return cluster;
}

void AddLimits(Json& page, const Options& options) {
  page["max_connections"] = options.max_connections;
  if (options.max_subscriptions > 0) page["max_subscriptions"] = options.max_subscriptions;
  page["ping_interval"] = options.ping_interval.count();
  page["ping_max"] = options.ping_max;
  page["max_payload"] = options.max_payload;
  page["max_control_line"] = options.max_control_line;
  page["max_pending"] = options.max_pending;
  page["write_deadline"] = options.write_deadline.count();
}

Json PageOf(const ServerStats& server, WallTime now) {
  return {{"server_id", server.id}, {"now", FormatTime(now)}};
}

std::string Rtt(Duration rtt) {
  return FormatDuration(duration_cast<std::chrono::microseconds>(rtt));
}

Json ConnectionOf(const ClientStats& client, WallTime now) {
  Json row = {{"cid", client.id},
              {"kind", "Client"},
              {"type", client.ip.empty() ? "internal" : "nats"},
              {"ip", client.ip},
              {"port", client.port},
              {"start", FormatTime(client.start)},
              {"last_activity", FormatTime(client.last_activity)},
              {"rtt", Rtt(client.rtt)},
              {"uptime", Since(client.start, now)},
              {"idle", Since(client.last_activity, now)},
              {"pending_bytes", client.pending_bytes}};
  AddTraffic(row, client.traffic);
  row["subscriptions"] = client.subscriptions;
  if (!client.name.empty()) row["name"] = client.name;
  if (!client.lang.empty()) row["lang"] = client.lang;
  if (!client.version.empty()) row["version"] = client.version;
  if (!client.user.empty()) row["authorized_user"] = client.user;
  if (!client.account.empty()) row["account"] = client.account;
  if (client.tls) row["tls"] = true;
  if (!client.subjects.empty()) row["subscriptions_list"] = client.subjects;
  return row;
}

Json RouteOf(const RouteStats& route, WallTime now) {
  Json row = {{"rid", route.id},
              {"remote_id", route.remote_id},
              {"remote_name", route.remote_name},
              {"did_solicit", route.solicited},
              {"is_configured", route.configured},
              {"ip", route.ip},
              {"port", route.port},
              {"start", FormatTime(route.start)},
              {"rtt", Rtt(route.rtt)},
              {"uptime", Since(route.start, now)},
              {"pending_size", route.pending_bytes}};
  AddTraffic(row, route.traffic);
  row["subscriptions"] = route.subscriptions;
  if (route.tls) row["tls"] = true;
  return row;
}

bool IsOn(std::string_view value) { return value == "1" || value == "true" || value == "detail"; }

void ReadPair(std::string_view name, std::string_view value, Paging& paging) {
  if (name == "subs") paging.subscriptions = IsOn(value);
  std::size_t* number = name == "offset"  ? &paging.offset
                        : name == "limit" ? &paging.limit
                                          : nullptr;
  if (number == nullptr) return;
  std::size_t read = 0;
  if (std::from_chars(value.data(), value.data() + value.size(), read).ec == std::errc()) {
    *number = read;
  }
}

// What stands before the first `mark`; `rest` is what stands behind it.
std::string_view CutAt(char mark, std::string_view& rest) {
  const auto end = rest.find(mark);
  const std::string_view head = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return head;
}

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

const WallTime kProcessStart = std::chrono::system_clock::now();

}  // namespace

ProcessUsage MeasureProcess() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  file >> size >> resident;
  const std::chrono::duration<double> age = std::chrono::system_clock::now() - kProcessStart;
  return {.resident_bytes = resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)),
          .cpu_percent = age.count() > 0 ? 100 * CpuSeconds() / age.count() : 0,
          .cores = std::max(1U, std::thread::hardware_concurrency())};
}

std::string Varz(const ServerStats& server, const Options& options, const ProcessUsage& usage,
                 WallTime now) {
  Json page = {{"server_id", server.id},
               {"server_name", server.name},
               {"version", server.version},
               {"proto", 1},
               {"go", ""},
               {"host", options.host},
               {"port", options.port}};
  if (options.authorization.required()) page["auth_required"] = true;
  if (options.tls.on()) page["tls_required"] = !options.allow_non_tls;
  if (options.tls.on() && options.tls.verify) page["tls_verify"] = true;
  if (!server.connect_urls.empty()) page["connect_urls"] = server.connect_urls;
  page["http_host"] = AddressOf(options.monitor_host, options.host);
  page["http_port"] = options.monitor_port;
  AddLimits(page, options);
  page["cluster"] = ClusterOf(server, options);
  page["start"] = FormatTime(server.start);
  page["now"] = FormatTime(now);
  page["uptime"] = Since(server.start, now);
  page["mem"] = usage.resident_bytes;
  page["cores"] = usage.cores;
  page["cpu"] = usage.cpu_percent;
  page["connections"] = server.connections;
  page["total_connections"] = server.total_connections;
  page["routes"] = server.routes;
  page["remotes"] = server.routes;
  page["leafnodes"] = 0;
  AddTraffic(page, server.traffic);
  page["slow_consumers"] = server.slow_consumers;
  page["subscriptions"] = server.subscriptions;
  page["stalled_clients"] = server.stalls;
  page["protocol_errors"] = server.protocol_errors;
  page["auth_errors"] = server.auth_errors;
  page["in_process_dropped"] = server.dropped;
  page["lame_duck"] = server.lame_duck;
  return Text(page);
}

Paging ReadPaging(const std::string& query) {
  Paging paging;
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = CutAt('&', rest);
    std::string_view value = pair;
    const std::string_view name = CutAt('=', value);
    ReadPair(name, value, paging);
  }
  return paging;
}

std::string Connz(const ServerStats& server, const std::vector<ClientStats>& clients,
                  const Paging& paging, WallTime now) {
  const std::size_t begin = std::min(paging.offset, clients.size());
  const std::size_t end = begin + std::min(paging.limit, clients.size() - begin);
  Json page = PageOf(server, now);
  page["num_connections"] = end - begin;
  page["total"] = clients.size();
  page["offset"] = paging.offset;
  page["limit"] = paging.limit;
  page["connections"] = Json::array();
  for (std::size_t i = begin; i < end; ++i) {
    page["connections"].push_back(ConnectionOf(clients[i], now));
  }
  return Text(page);
}

std::string Routez(const ServerStats& server, const std::vector<RouteStats>& routes, WallTime now) {
  Json page = PageOf(server, now);
  page["server_name"] = server.name;
  page["num_routes"] = routes.size();
  page["routes"] = Json::array();
  for (const RouteStats& route : routes) page["routes"].push_back(RouteOf(route, now));
  return Text(page);
}

std::string Subsz(const ServerStats& server, const SublistStats& sublist, WallTime now) {
  Json page = PageOf(server, now);
  page["num_subscriptions"] = sublist.subscriptions;
  page["num_cache"] = sublist.cached_plans;
  page["num_inserts"] = sublist.inserts;
  page["num_removes"] = sublist.removes;
  page["num_matches"] = sublist.matches;
  page["cache_hit_rate"] = sublist.matches == 0 ? 0.0
                                                : static_cast<double>(sublist.hits) /
                                                      static_cast<double>(sublist.matches);
  return Text(page);
}

std::string Healthz() { return Text({{"status", "ok"}}); }

std::string FormatTime(WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  const std::time_t clock = std::chrono::system_clock::to_time_t(whole);
  std::tm utc{};
  ::gmtime_r(&clock, &utc);
  std::array<char, 64> text{};
  std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::string nanoseconds = std::to_string(duration_cast<Duration>(time - whole).count());
  nanoseconds.insert(0, 9 - nanoseconds.size(), '0');
  return std::string(text.data(), length) + "." + nanoseconds + "Z";
}

std::string FormatUptime(seconds span) {
  constexpr std::array<std::pair<long, char>, 5> kUnits = {
      {{365L * 86400, 'y'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};
  long rest = span.count();
  std::string text;
  for (const auto& [unit, letter] : kUnits) {
    if (text.empty() && rest < unit && letter != 's') continue;
    text += std::to_string(rest / unit) + letter;
    rest %= unit;
  }
  return text;
}

}  // namespace micro::natsd::monitor
