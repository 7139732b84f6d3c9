#include <cstdlib>
#include <filesystem>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/misconfigured.h"
#include "service/option_table.h"

namespace micro::service {
namespace {

Status AssignFrom(const OptionRow& row, const std::string& source,
                  const std::vector<std::string>& given) {
  Status assigned = row.assign(given);
  return assigned ? Ok() : Misconfigured(source + ": " + assigned.error().detail());
}

// A flag as CLI11 knows it: two dashes for a word, one for a letter, which takes no '='. A toggle
// without a value is given one, lest it take the argument behind it.
std::string FlagFor(const OptionRow& row, std::string value) {
  if (value.empty() && row.toggle) value = "=true";
  if (row.flag.size() > 1) return "--" + row.flag + value;
  return "-" + row.flag + (value.empty() ? "" : value.substr(1));
}

// Whatever the user typed, as CLI11 knows it.
std::string Normal(std::string argument, const std::vector<OptionRow>& rows) {
  const std::size_t first = argument.find_first_not_of('-');
  if (first == 0 || first == std::string::npos) return argument;
  const std::string name = argument.substr(first);
  const std::string word = name.substr(0, name.find('='));
  for (const OptionRow& row : rows) {
    if (row.flag == word) return FlagFor(row, name.substr(word.size()));
  }
  return word == "help" || word == "h" ? "--help" : argument;
}

std::vector<std::string> Arguments(int argc, char** argv, const std::vector<OptionRow>& rows) {
  std::vector<std::string> arguments;
  bool flags = true;
  for (int i = 1; i < argc; ++i) {
    flags = flags && std::string_view(argv[i]) != "--";
    arguments.push_back(flags ? Normal(argv[i], rows) : argv[i]);
  }
  return arguments;
}

Status ReadEnvironment(const std::vector<OptionRow>& rows) {
  for (const OptionRow& row : rows) {
    const char* value = row.environment.empty() ? nullptr : std::getenv(row.environment.c_str());
    if (value == nullptr || *value == '\0') continue;
    if (Status read = AssignFrom(row, row.environment, {value}); !read) return read;
  }
  return Ok();
}

// The command line as CLI11 took it apart.
struct CommandLine {
  explicit CommandLine(const std::vector<OptionRow>& table) : rows(table), given(table.size()) {
    app.set_help_flag();
    app.add_flag("--help", help);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string name = (rows[i].flag.size() == 1 ? "-" : "--") + rows[i].flag;
      CLI::Option* option = app.add_option(name, given[i])->allow_extra_args(false);
      option->multi_option_policy(rows[i].many ? CLI::MultiOptionPolicy::TakeAll
                                               : CLI::MultiOptionPolicy::TakeLast);
      options.push_back(option);
    }
    app.add_option("arguments", arguments);
  }

  Status Parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // as CLI11 wants a vector
    app.allow_extras();
    try {
      app.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
      return Misconfigured(error.what());
    }
    auto extras = app.remaining();
    std::erase(extras, "--");  // the mark behind which there are only arguments
    if (extras.empty()) return Ok();
    return Misconfigured("unknown flag " + extras.front() + "; --help lists those there are");
  }

  Status Assign() {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (options[i]->count() == 0) continue;
      if (Status read = AssignFrom(rows[i], "--" + rows[i].flag, given[i]); !read) return read;
    }
    return Ok();
  }

  CLI::App app;
  const std::vector<OptionRow>& rows;
  std::vector<std::vector<std::string>> given;
  std::vector<CLI::Option*> options;
  std::vector<std::string> arguments;
  bool help = false;
};

}  // namespace

Result<std::vector<std::string>> ReadOptions(ServiceOptions& options, int argc, char** argv) {
  const std::vector<OptionRow> rows = OptionTable(options);
  CommandLine line(rows);
  if (Status parsed = line.Parse(Arguments(argc, argv, rows)); !parsed) {
    return Failure(parsed.error());
  }
  if (line.help) {
    const std::string program = std::filesystem::path(argv[0]).filename();
    return Fails(
        Error(Code::kOk, HelpText(rows, program, options.arguments)).set_phase(Phase::kUsage));
  }
  if (Status read = ReadEnvironment(rows); !read) return Failure(read.error());
  if (Status read = line.Assign(); !read) return Failure(read.error());
  if (!line.arguments.empty() && options.arguments.empty()) {
    return Misconfigured("unexpected argument \"" + line.arguments.front() +
                         "\"; --help tells the usage");
  }
  return line.arguments;
}

}  // namespace micro::service
