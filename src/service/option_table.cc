#include "service/option_table.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <type_traits>
#include <utility>

namespace micro::service {
namespace {

std::string EnvironmentName(std::string_view flag) {
  std::string name = "MICRO_";
  for (const char c : flag) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::vector<std::string> SplitAtCommas(const std::vector<std::string>& given) {
  std::vector<std::string> parts;
  for (std::string_view text : given) {
    while (true) {
      const std::size_t comma = text.find(',');
      if (comma != 0 && !text.empty()) parts.emplace_back(text.substr(0, comma));
      if (comma == std::string_view::npos) break;
      text.remove_prefix(comma + 1);
    }
  }
  return parts;
}

Status Assign(std::string& to, const std::vector<std::string>& given) {
  to = given.back();
  return Ok();
}

Status Assign(bool& to, const std::vector<std::string>& given) {
  const std::string& text = given.back();
  if (text != "true" && text != "false")
    return InvalidArgument("\"" + text + "\" is neither true nor false");
  to = text == "true";
  return Ok();
}

template <typename Number>
  requires std::is_arithmetic_v<Number>
Status Assign(Number& to, const std::vector<std::string>& given) {
  const std::string& text = given.back();
  const char* end = text.data() + text.size();
  Number number{};
  const auto [used, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || used != end || text.empty()) {
    return InvalidArgument("\"" + text + "\" is no " +
                           (std::is_floating_point_v<Number> ? "number"
                            : std::is_signed_v<Number>       ? "whole number"
                                                             : "whole number from 0 on"));
  }
  to = number;
  return Ok();
}

// Go's form; a bare number counts seconds, as go-micro's register flags do.
Status Assign(Duration& to, const std::vector<std::string>& given) {
  std::int64_t seconds = 0;
  const std::vector<std::string> plain = {given.back()};
  const bool bare = Assign(seconds, plain).has_value();
  const auto duration = ParseDuration(given.back() + (bare ? "s" : ""));
  if (!duration) return Failure(duration.error());
  if (*duration < Duration::zero()) {
    return InvalidArgument("\"" + given.back() + "\" is below zero");
  }
  to = *duration;
  return Ok();
}

Status Assign(StringList& to, const std::vector<std::string>& given) {
  to = SplitAtCommas(given);
  return Ok();
}

Status Assign(StringMap& to, const std::vector<std::string>& given) {
  StringMap map;
  for (const std::string& pair : SplitAtCommas(given)) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return InvalidArgument("\"" + pair + "\" is no key=value");
    }
    map[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  to = std::move(map);
  return Ok();
}

std::string ToText(const std::string& value) { return value; }
std::string ToText(bool value) { return value ? "true" : "false"; }
std::string ToText(const Duration& value) { return FormatDuration(value); }
template <typename Number>
  requires std::is_arithmetic_v<Number>
std::string ToText(Number value) {
  std::string text = std::to_string(value);
  if constexpr (std::is_floating_point_v<Number>) text.erase(text.find_last_not_of('0') + 1);
  return text;
}
std::string ToText(const StringList& value) {
  std::string text;
  for (const std::string& item : value) text += (text.empty() ? "" : ",") + item;
  return text;
}
std::string ToText(const StringMap& value) {
  StringList pairs;
  for (const auto& [key, item] : value) pairs.push_back(key + "=" + item);
  return ToText(pairs);
}

template <typename T>
OptionRow MakeRow(T& field, std::string flag, std::string environment, std::string help) {
  return {.flag = std::move(flag),
          .environment = std::move(environment),
          .help = std::move(help),
          .value = ToText(field),
          .many = std::is_same_v<T, StringList> || std::is_same_v<T, StringMap>,
          .toggle = std::is_same_v<T, bool>,
          .assign = [&field](const auto& given) { return Assign(field, given); }};
}

template <typename T>
std::string KnownNames(const std::map<std::string, T>& plugins) {
  StringList names;
  for (const auto& [name, factory] : plugins) names.push_back(name);
  return ": " + ToText(names);
}

}  // namespace

std::vector<OptionRow> OptionTable(ServiceOptions& options) {
  std::vector<OptionRow> rows;
#define MICRO_OPTION(type, field, flag, value, help) \
  rows.push_back(MakeRow(options.field, flag, EnvironmentName(flag), help));
#include "micro/options.def"
#undef MICRO_OPTION
  for (OptionRow& row : rows) {
    if (row.flag == "registry") row.help += KnownNames(options.plugins.registries);
    if (row.flag == "selector") row.help += KnownNames(options.plugins.selectors);
    if (row.flag == "registry_password" && !row.value.empty()) row.value = "***";
    if (row.flag == "transport") row.help += KnownNames(options.plugins.transports);
  }
  for (const Flag& flag : options.flags) {
    std::visit(
        [&](auto* value) {
          if (value != nullptr) rows.push_back(MakeRow(*value, flag.name, "", flag.help));
        },
        flag.value);
  }
  return rows;
}

std::string HelpText(const std::vector<OptionRow>& rows, const std::string& program,
                     const std::string& arguments) {
  constexpr std::size_t kColumn = 28;
  std::string text = "Usage: " + program + " [flags]" + (arguments.empty() ? "" : " " + arguments);
  text += "\n\nFlags, also as environment variables; durations are written like 500ms or 1m30s:\n";
  for (const OptionRow& row : rows) {
    std::string line = "  " + std::string(row.flag.size() == 1 ? "-" : "--") + row.flag;
    line.resize(std::max(line.size() + 1, kColumn), ' ');
    line += row.help;
    if (!row.value.empty()) line += " [" + row.value + "]";
    if (!row.environment.empty()) {
      line += "\n" + std::string(kColumn, ' ') + row.environment;
    }
    text += line + "\n";
  }
  return text + "  --help                    this text\n";
}

}  // namespace micro::service
