#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "natsd/options.h"
#include "natsd/stats.h"

// The pages of nats-server's monitoring, as JSON with its field names (v2.9), as far as there is
// something to say.
namespace micro::natsd::monitor {

using WallTime = std::chrono::system_clock::time_point;

/// What the process uses.
struct ProcessUsage {
  std::size_t resident_bytes = 0;
  double cpu_percent = 0;  ///< of one core, since the process began
  unsigned cores = 1;
};
ProcessUsage MeasureProcess();

/// /varz
std::string Varz(const ServerStats& server, const Options& options, const ProcessUsage& usage,
                 WallTime now);

/// Which connections /connz shows.
struct Paging {
  std::size_t offset = 0;
  std::size_t limit = 1024;
  bool subscriptions = false;  ///< with their subjects
};

/// Reads "offset=0&limit=100&subs=1"; what it does not understand stays as it is.
Paging ReadPaging(const std::string& query);

/// /connz
std::string Connz(const ServerStats& server, const std::vector<ClientStats>& clients,
                  const Paging& paging, WallTime now);

/// /routez
std::string Routez(const ServerStats& server, const std::vector<RouteStats>& routes, WallTime now);

/// /subsz
std::string Subsz(const ServerStats& server, const SublistStats& sublist, WallTime now);

/// /healthz
std::string Healthz();

/// A point in time as RFC 3339 has it, in UTC: "2026-01-02T03:04:05.678901234Z".
std::string FormatTime(WallTime time);

/// A span as nats-server writes one since its start: "1y2d3h4m5s", from the largest unit on.
std::string FormatUptime(std::chrono::seconds span);

}  // namespace micro::natsd::monitor
