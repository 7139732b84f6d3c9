// A server that speaks the NATS protocol, with nats-server's flags, files and signals.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "natsd/config/command_line.h"
#include "program.h"
#include "signals.h"

namespace {

using micro::natsd::config::Command;

int Show(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return 0;
}

int Signal(const Command& command) {
  const auto sent = micro::natsd::SendSignal(command.signal, command.process);
  return sent ? 0 : micro::Fail(sent.error());
}

int Serve(const std::string& name, const std::vector<std::string>& arguments, Command command) {
  const auto code = micro::natsd::Program(name, arguments).Run(std::move(command));
  return code ? *code : micro::Fail(code.error());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  auto command =
      micro::natsd::config::ReadCommandLine(arguments, micro::natsd::config::Sources::Real());
  if (!command) return micro::Fail(command.error());
  switch (command->action) {
    case Command::Action::kShowHelp:
      return Show(micro::natsd::config::HelpText());
    case Command::Action::kShowVersion:
      return Show("nats-server: v" + std::string(micro::natsd::Server::kVersion) + "\n");
    case Command::Action::kCheck:
      return Show("the configuration is good\n");
    case Command::Action::kSignal:
      return Signal(*command);
    case Command::Action::kServe:
      break;
  }
  return Serve(std::filesystem::path(argv[0]).filename().string(), arguments, *std::move(command));
}
