#pragma once

#include <memory>
#include <string>
#include <vector>

#include "micro/error.h"

#include "files.h"
#include "log_file.h"
#include "natsd/config/command_line.h"
#include "natsd/monitor/monitor.h"
#include "natsd/server.h"

namespace micro::natsd {

/// A server with all that is around it, as a process: log, files, monitoring, signals.
class Program {
 public:
  /// `arguments`: those behind the program's name, `name`.
  Program(std::string name, std::vector<std::string> arguments)
      : name_(std::move(name)), arguments_(std::move(arguments)) {}

  /// Serves until a signal ends it: its exit code, or why it could not begin.
  Result<int> Run(config::Command command);

 private:
  Status Begin(const config::Configuration& configuration);
  Status StartMonitor(const Options& options);
  Status WriteFiles(const config::Configuration& configuration);
  int Serve();
  void Reload();
  void LameDuck();
  Ports ports() const;
  void Say(const std::string& line) { log_->Write(LogLevel::kInfo, line); }

  const std::string name_;
  const std::vector<std::string> arguments_;
  std::shared_ptr<LogFile> log_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<monitor::Monitor> monitor_;
  NoteFile pid_file_;
  NoteFile ports_file_;
};

}  // namespace micro::natsd
