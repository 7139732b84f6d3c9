#include "program.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "base/address.h"

namespace micro::natsd {
namespace {

// They are waited for, and interrupt nothing; threads that are started later inherit that.
sigset_t OurSignals() {
  sigset_t signals{};
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

// A connection needs a descriptor, and the usual limit is far below what is allowed.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

LogFile::Style StyleOf(const config::Configuration& configuration) {
  const Options& server = configuration.server;
  const LogLevel least = server.trace   ? LogLevel::kTrace
                         : server.debug ? LogLevel::kDebug
                                        : LogLevel::kInfo;
  return {.least = least, .time = configuration.log_time};
}

}  // namespace

Result<int> Program::Run(config::Command command) {
  const sigset_t signals = OurSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  (void)::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
  if (auto begun = Begin(command.configuration); !begun) return Failure(std::move(begun.error()));
  const int code = Serve();
  Say("Server stops");
  monitor_.reset();  // asks the server, and so goes first
  server_->Shutdown();
  server_.reset();
  return code;
}

Status Program::Begin(const config::Configuration& configuration) {
  auto log = LogFile::Open(configuration.log_file, StyleOf(configuration));
  if (!log) return Failure(std::move(log.error()));
  log_ = *std::move(log);
  Say("Starting nats-server");
  Say("  Version:  " + std::string(Server::kVersion) + " (micro)");
  for (const std::string& sentence : configuration.ignored) {
    log_->Write(LogLevel::kWarn, sentence);
  }
  auto server = Server::Start(configuration.server, log_);
  if (!server) return Failure(std::move(server.error()));
  server_ = *std::move(server);
  Say("  Name:     " + server_->name());
  Say("  ID:       " + server_->id());
  if (auto monitor = StartMonitor(configuration.server); !monitor) return monitor;
  const Options& options = configuration.server;
  Say("Listening for client connections on " + JoinHostPort(options.host, ports().client));
  if (ports().cluster != 0) {
    Say("Listening for route connections on " +
        JoinHostPort(options.cluster.host, ports().cluster));
  }
  if (auto written = WriteFiles(configuration); !written) return written;
  Say("Server is ready");
  return Ok();
}

Status Program::StartMonitor(const Options& options) {
  if (options.monitor_port == 0) return Ok();
  const std::string host = options.monitor_host.empty() ? options.host : options.monitor_host;
  const auto port = static_cast<std::uint16_t>(options.monitor_port < 0 ? 0 : options.monitor_port);
  const auto now = [] { return std::chrono::system_clock::now(); };
  Options shown = options;
  shown.port = server_->client_port();
  if (shown.cluster.port != 0) shown.cluster.port = server_->route_port();
  auto monitor = monitor::Monitor::Start(
      JoinHostPort(host, port),
      {.varz =
           [this, shown, now](const std::string&) {
             return monitor::Varz(server_->Stats(), shown, monitor::MeasureProcess(), now());
           },
       .connz =
           [this, now](const std::string& query) {
             const monitor::Paging paging = monitor::ReadPaging(query);
             return monitor::Connz(server_->Stats(), server_->Clients(paging.subscriptions), paging,
                                   now());
           },
       .routez =
           [this, now](const std::string&) {
             return monitor::Routez(server_->Stats(), server_->Routes(), now());
           },
       .subsz =
           [this, now](const std::string&) {
             return monitor::Subsz(server_->Stats(), server_->Sublist(), now());
           }},
      log_);
  if (!monitor) return Failure(std::move(monitor.error()));
  monitor_ = *std::move(monitor);
  Say("Starting http monitor on " + monitor_->address());
  return Ok();
}

Ports Program::ports() const {
  Ports ports{.client = server_->client_port(), .cluster = server_->route_port()};
  if (!monitor_) return ports;
  if (const auto address = ParseHostPort(monitor_->address())) ports.monitor = address->port;
  return ports;
}

Status Program::WriteFiles(const config::Configuration& configuration) {
  const std::string pid = std::to_string(::getpid());
  if (!configuration.pid_file.empty()) {
    auto file = NoteFile::Write(configuration.pid_file, pid + "\n");
    if (!file) return Failure(std::move(file.error()));
    pid_file_ = *std::move(file);
  }
  const Options& options = configuration.server;
  if (options.ports_file_dir.empty()) return Ok();
  auto file = NoteFile::Write(options.ports_file_dir + "/" + name_ + "_" + pid + ".ports",
                              PortsText(options, ports()));
  if (!file) return Failure(std::move(file.error()));
  ports_file_ = *std::move(file);
  return Ok();
}

// As nats-server 2.9 exits: 0 when it was interrupted or emptied, 1 when it was terminated.
int Program::Serve() {
  const sigset_t signals = OurSignals();
  for (;;) {
    const int signal = ::sigwaitinfo(&signals, nullptr);
    if (signal == SIGINT) return 0;
    if (signal == SIGTERM) return 1;
    if (signal == SIGUSR2) LameDuck();
    if (signal == SIGHUP) Reload();
    if (signal != SIGUSR1) continue;
    if (auto reopened = log_->Reopen(); !reopened) {
      log_->Write(LogLevel::kError, reopened.error().detail());
    }
  }
}

void Program::LameDuck() {
  Say("Entering lame duck mode, stop accepting new clients");
  server_->LameDuck([] { ::kill(::getpid(), SIGINT); });
}

void Program::Reload() {
  const auto command = config::ReadCommandLine(arguments_, config::Sources::Real());
  if (!command) {
    log_->Write(LogLevel::kError, "Failed to reload: " + command.error().detail());
    return;
  }
  log_->SetStyle(StyleOf(command->configuration));
  Say("Reloaded debug, trace and logtime; everything else is read at the start only");
}

}  // namespace micro::natsd
