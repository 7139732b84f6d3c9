#include "natsd/config/command_line.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "base/misconfigured.h"
#include "natsd/config/keys.h"
#include "natsd/config/scalars.h"
#include "natsd/route_url.h"

namespace micro::natsd::config {
namespace {

using Action = Command::Action;

// A flag, under any of its names. A toggle is on when nothing follows it.
struct Flag {
  std::vector<std::string_view> names;
  std::string_view argument;  // as --help shows it; empty: a toggle
  std::string_view help;
  std::function<Status(const Value&)> set;

  bool toggle() const { return argument.empty(); }
};

Result<int> ReadPort(const Value& value) {
  auto port = ReadWithin(value, -1, 65535);
  if (!port) return Failure(std::move(port.error()));
  return static_cast<int>(*port);
}

Result<int> ReadCount(const Value& value) {
  auto count = ReadWithin(value, 0, 1'000'000);
  if (!count) return Failure(std::move(count.error()));
  return static_cast<int>(*count);
}

Status NotHere(const Value& value) { return Complaint(value.place, "this is not supported"); }

std::function<Status(const Value&)> Do(Command& command, Action action) {
  return [&command, action](const Value& value) -> Status {
    const auto wanted = ReadBool(value);
    if (!wanted) return Failure(wanted.error());
    if (*wanted) command.action = action;
    return Ok();
  };
}

// Two at once, "-DV".
std::function<Status(const Value&)> Both(Options& server) {
  return [&server](const Value& value) -> Status {
    const auto on = ReadBool(value);
    if (!on) return Failure(on.error());
    server.debug = server.trace = *on;
    return Ok();
  };
}

// "nats://user:password@host:port", where the port may be -1.
Status ReadClusterUrl(const Value& value, ClusterOptions& cluster) {
  std::string text = value.content;
  const bool any = text.ends_with(":-1");
  if (any) text.replace(text.size() - 2, 2, "1");
  const auto url = ParseRouteUrl(text);
  if (!url) return Complaint(value.place, url.error().detail());
  cluster.host = url->host;
  cluster.port = any ? -1 : url->port;
  if (!url->user.empty()) cluster.user = url->user;
  if (!url->password.empty()) cluster.password = url->password;
  return Ok();
}

Status ReadRouteList(const Value& value, std::vector<RouteUrl>& routes) {
  std::string_view rest = value.content;
  routes.clear();
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    std::string_view text = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    auto url = ParseRouteUrl(text);
    if (!url) return Complaint(value.place, url.error().detail());
    routes.push_back(*std::move(url));
  }
  return Ok();
}

// "ldm", "ldm=PID" or "ldm=FILE".
Status ReadSignal(const Value& value, Command& command) {
  const auto equals = value.content.find('=');
  command.action = Action::kSignal;
  command.signal = value.content.substr(0, equals);
  command.process = equals == std::string::npos ? std::string() : value.content.substr(equals + 1);
  return Ok();
}

std::vector<Flag> ServerFlags(Configuration& configuration) {
  Options& server = configuration.server;
  return {{{"a", "addr", "net"},
           "HOST",
           "listen for clients here (0.0.0.0)",
           Into(server.host, ReadText)},
          {{"p", "port"}, "PORT", "and at this port (4222); -1: any", Into(server.port, ReadPort)},
          {{"n", "name", "server_name"},
           "NAME",
           "what the server is called",
           Into(server.server_name, ReadText)},
          {{"P", "pid"},
           "FILE",
           "write the process's number there",
           Into(configuration.pid_file, ReadText)},
          {{"m", "http_port"},
           "PORT",
           "serve monitoring there; -1: any",
           Into(server.monitor_port, ReadPort)},
          {{"client_advertise"},
           "HOST:PORT",
           "what clients are told",
           Into(server.client_advertise, ReadText)},
          {{"ports_file_dir"},
           "DIR",
           "write a file with the ports there",
           Into(server.ports_file_dir, ReadText)},
          {{"ms", "https_port"}, "PORT", "not supported", NotHere}};
}

std::vector<Flag> LogFlags(Configuration& configuration) {
  Options& server = configuration.server;
  return {
      {{"l", "log"}, "FILE", "log there instead of stderr", Into(configuration.log_file, ReadText)},
      {{"T", "logtime"},
       "",
       "with the time (-T=false: without)",
       Into(configuration.log_time, ReadBool)},
      {{"D", "debug"}, "", "log what helps finding faults", Into(server.debug, ReadBool)},
      {{"V", "trace"}, "", "log the protocol", Into(server.trace, ReadBool)},
      {{"VV"}, "", "as -V", Into(server.trace, ReadBool)},
      {{"DV"}, "", "-D and -V", Both(server)},
      {{"DVV"}, "", "-D and -V", Both(server)},
      {{"s", "syslog"}, "", "not supported", NotHere},
      {{"r", "remote_syslog"}, "ADDRESS", "not supported", NotHere}};
}

std::vector<Flag> SecurityFlags(Options& server, bool& tls) {
  return {
      {{"user"}, "NAME", "who may connect", Into(server.authorization.user, ReadText)},
      {{"pass"}, "PASSWORD", "by which password", Into(server.authorization.password, ReadText)},
      {{"auth"}, "TOKEN", "or by which token", Into(server.authorization.token, ReadText)},
      {{"tls"}, "", "clients must use TLS", Into(tls, ReadBool)},
      {{"tlscert"}, "FILE", "the server's certificate", Into(server.tls.cert, ReadText)},
      {{"tlskey"}, "FILE", "its key", Into(server.tls.key, ReadText)},
      {{"tlsverify"}, "", "clients must show certificates", Into(server.tls.verify, ReadBool)},
      {{"tlscacert"}, "FILE", "of this authority", Into(server.tls.ca, ReadText)}};
}

std::vector<Flag> ClusterFlags(ClusterOptions& cluster) {
  return {{{"cluster", "cluster_listen"},
           "URL",
           "listen for other servers here",
           [&](const Value& url) { return ReadClusterUrl(url, cluster); }},
          {{"cluster_name"}, "NAME", "what the cluster is called", Into(cluster.name, ReadText)},
          {{"routes"},
           "URL,…",
           "other servers to dial",
           [&](const Value& list) { return ReadRouteList(list, cluster.routes); }},
          {{"cluster_advertise"},
           "HOST:PORT",
           "what other servers are told",
           Into(cluster.advertise, ReadText)},
          {{"no_advertise"},
           "",
           "tell clients nothing of other servers",
           Into(cluster.no_advertise, ReadBool)},
          {{"connect_retries"},
           "N",
           "for servers that were heard of",
           Into(cluster.connect_retries, ReadCount)}};
}

std::vector<Flag> ProgramFlags(Command& command) {
  return {{{"c", "config"},
           "FILE",
           "read this configuration first",
           Into(command.config_file, ReadText)},
          {{"t"}, "", "read the configuration, and stop", Do(command, Action::kCheck)},
          {{"sl", "signal"},
           "WHAT[=PID]",
           "tell a running server: ldm, stop, quit, term, reopen, reload",
           [&](const Value& signal) { return ReadSignal(signal, command); }},
          {{"js", "jetstream"}, "", "not supported", NotHere},
          {{"sd", "store_dir"}, "DIR", "not supported", NotHere},
          {{"v", "version"}, "", "show the version", Do(command, Action::kShowVersion)},
          {{"h", "help"}, "", "show this", Do(command, Action::kShowHelp)}};
}

std::vector<Flag> AllFlags(Command& command, bool& tls) {
  std::vector<Flag> all;
  for (auto& some :
       {ProgramFlags(command), ServerFlags(command.configuration), LogFlags(command.configuration),
        SecurityFlags(command.configuration.server, tls),
        ClusterFlags(command.configuration.server.cluster)}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

// A flag as it was given.
struct Given {
  std::size_t flag;
  Value value;
};

Failure Unusable(const std::string& argument, std::string_view why) {
  return Misconfigured(Quoted(argument) + " " + std::string(why) + "; -h shows what there is");
}

// The argument at `at`, and the one behind it if that is its value.
Result<Given> Take(const std::vector<Flag>& flags, const std::vector<std::string>& arguments,
                   std::size_t& at) {
  const std::string& argument = arguments[at++];
  if (!argument.starts_with('-')) return Unusable(argument, "is no flag");
  const std::string body = argument.substr(argument.starts_with("--") ? 2 : 1);
  const auto equals = body.find('=');
  const std::string name = body.substr(0, equals);
  const auto flag = std::ranges::find_if(flags, [&](const Flag& known) {
    return std::ranges::find(known.names, name) != known.names.end();
  });
  if (flag == flags.end()) return Unusable(argument, "is an unknown flag");
  Given given{.flag = static_cast<std::size_t>(flag - flags.begin()), .value = {}};
  given.value.place = {.file = std::make_shared<const std::string>("-" + name), .line = 0};
  if (equals != std::string::npos) {
    given.value.content = body.substr(equals + 1);
  } else if (flag->toggle()) {
    given.value.content = "true";
  } else if (at < arguments.size()) {
    given.value.content = arguments[at++];
  } else {
    return Unusable(argument, "wants a value");
  }
  return given;
}

Result<std::vector<Given>> TakeAll(const std::vector<Flag>& flags,
                                   const std::vector<std::string>& arguments) {
  std::vector<Given> all;
  for (std::size_t at = 0; at < arguments.size();) {
    auto given = Take(flags, arguments, at);
    if (!given) return Failure(std::move(given.error()));
    all.push_back(*std::move(given));
  }
  return all;
}

Status SetAll(const std::vector<Flag>& flags, const std::vector<Given>& given) {
  for (const Given& one : given) {
    if (auto set = flags[one.flag].set(one.value); !set) return set;
  }
  return Ok();
}

// What only the whole can be wrong in.
Status Check(const Command& command, bool tls) {
  const Options& server = command.configuration.server;
  if (tls && !server.tls.on()) return Misconfigured("--tls wants --tlscert and --tlskey");
  if (server.tls.cert.empty() != server.tls.key.empty()) {
    return Misconfigured("TLS wants both a certificate and its key");
  }
  if (server.tls.verify && server.tls.ca.empty()) {
    return Misconfigured("--tlsverify wants --tlscacert");
  }
  if (!server.cluster.routes.empty() && server.cluster.port == 0) {
    return Misconfigured("routes want a cluster: say where to listen with --cluster");
  }
  return Ok();
}

}  // namespace

Result<Command> ReadCommandLine(const std::vector<std::string>& arguments, const Sources& sources) {
  Command command;
  bool tls = false;
  const std::vector<Flag> flags = AllFlags(command, tls);
  const auto given = TakeAll(flags, arguments);
  if (!given) return Failure(given.error());
  // Once for -c and -h, and once more on top of the file.
  if (auto set = SetAll(flags, *given); !set) return Failure(std::move(set.error()));
  if (command.action != Action::kServe && command.action != Action::kCheck) return command;
  if (!command.config_file.empty()) {
    command.configuration = {};
    auto read = ReadConfiguration(command.config_file, sources, command.configuration);
    if (!read) return Failure(std::move(read.error()));
    if (auto set = SetAll(flags, *given); !set) return Failure(std::move(set.error()));
  }
  if (auto good = Check(command, tls); !good) return Failure(std::move(good.error()));
  return command;
}

std::string HelpText() {
  Command unused;
  bool tls = false;
  std::string text = "Usage: micro-nats-server [flags]\n\n";
  for (const Flag& flag : AllFlags(unused, tls)) {
    std::string line = "  ";
    for (const std::string_view name : flag.names) {
      line += (line.size() > 2 ? ", " : "") + std::string(name.size() > 3 ? "--" : "-") +
              std::string(name);
    }
    if (!flag.toggle()) line += " " + std::string(flag.argument);
    line.resize(std::max<std::size_t>(line.size() + 2, 38), ' ');
    text += line + std::string(flag.help) + "\n";
  }
  return text;
}

}  // namespace micro::natsd::config
