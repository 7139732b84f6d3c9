#include "natsd/route_parser.h"

#include <algorithm>
#include <array>

namespace micro::natsd {
namespace {

struct Name {
  std::string_view text;
  RouteOp op;
};
constexpr std::array<Name, 12> kNames{{{"RMSG ", RouteOp::kMessage},
                                       {"HMSG ", RouteOp::kMessage},
                                       {"RS+ ", RouteOp::kAdd},
                                       {"RS- ", RouteOp::kRemove},
                                       {"A+ ", RouteOp::kIgnored},
                                       {"A- ", RouteOp::kIgnored},
                                       {"PING", RouteOp::kPing},
                                       {"PONG", RouteOp::kPong},
                                       {"CONNECT ", RouteOp::kConnect},
                                       {"INFO ", RouteOp::kInfo},
                                       {"+OK", RouteOp::kOk},
                                       {"-ERR ", RouteOp::kErr}}};

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool Same(char c, char of_name) {
  return of_name == ' ' ? c == ' ' || c == '\t' : Upper(c) == of_name;
}

// The operation at the front; null, with whether more bytes could make it one.
const Name* NameOf(std::string_view bytes, bool& perhaps) {
  perhaps = false;
  for (const Name& name : kNames) {
    const std::size_t size = std::min(bytes.size(), name.text.size());
    if (!std::equal(bytes.begin(), bytes.begin() + size, name.text.begin(), Same)) continue;
    if (size == name.text.size()) return &name;
    perhaps = true;
  }
  return nullptr;
}

// The last field of `text`, which it takes off.
std::string_view TakeLast(std::string_view& text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  const std::size_t blank = text.find_last_of(" \t");
  const std::string_view field = text.substr(blank == std::string_view::npos ? 0 : blank + 1);
  text.remove_suffix(field.size());
  return field;
}

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// account subject [reply | "|" queues | "+" reply queues] sizes
bool ReadMessage(std::string_view args, RouteUnit& unit, std::size_t& total) {
  if (!ReadSize(TakeLast(args), total)) return false;
  unit.header_size = 0;
  if (unit.headers && !ReadSize(TakeLast(args), unit.header_size)) return false;
  if (unit.header_size > total) return false;
  unit.account = TakeField(args);
  unit.subject = TakeField(args);
  if (unit.subject.empty()) return false;
  unit.reply = TakeField(args);
  const std::string_view rest = Trim(args);
  if (rest.empty()) return unit.reply != "|" && unit.reply != "+";
  if (unit.reply != "|" && unit.reply != "+") return false;
  const bool replies = unit.reply == "+";
  args = rest;
  unit.reply = replies ? TakeField(args) : std::string_view();
  unit.queues = Trim(args);
  return !unit.queues.empty();
}

bool ReadInterest(std::string_view args, RouteUnit& unit) {
  unit.account = TakeField(args);
  unit.subject = TakeField(args);
  unit.queues = TakeField(args);
  const std::string_view weight = TakeField(args);
  if (unit.subject.empty() || !TakeField(args).empty()) return false;
  std::size_t number = 1;
  if (!weight.empty() && !ReadSize(weight, number)) return false;
  unit.weight = static_cast<std::uint32_t>(number);
  return unit.queues.empty() || !weight.empty() || unit.op == RouteOp::kRemove;
}

// Whether the line behind the subject ends as the line that delivers the message does.
bool IsCanonical(std::string_view line) {
  if (!line.starts_with(' ') || !line.ends_with("\r\n")) return false;
  line.remove_suffix(2);
  if (line.find_first_of("\t\r") != std::string_view::npos) return false;
  return line.find("  ") == std::string_view::npos && !line.ends_with(' ');
}

Parsed ParseBody(std::string_view bytes, std::size_t at, std::size_t total, RouteUnit& unit) {
  const std::size_t end = at + total;
  if (bytes.size() > end && bytes[end] != '\r') return {Outcome::kUnknown};
  if (bytes.size() > end + 1 && bytes[end + 1] != '\n') return {Outcome::kUnknown};
  if (bytes.size() < end + 2) return {Outcome::kMore, bytes.size() > end ? end + 2 : end + 1};
  unit.body = bytes.substr(at, total);
  const auto behind =
      static_cast<std::size_t>(unit.subject.data() - bytes.data()) + unit.subject.size();
  const bool canonical = unit.queues.empty() && IsCanonical(bytes.substr(behind, at - behind));
  unit.tail = canonical ? bytes.substr(behind + 1, end + 1 - behind) : std::string_view();
  return {Outcome::kUnit, end + 2};
}

}  // namespace

Parsed ParseRouteUnit(std::string_view bytes, const ParserLimits& limits, RouteUnit& unit) {
  bool perhaps = false;
  const Name* name = NameOf(bytes, perhaps);
  if (name == nullptr) {
    return perhaps ? Parsed{Outcome::kMore, bytes.size() + 1} : Parsed{Outcome::kUnknown};
  }
  const std::size_t end = bytes.find('\n', name->text.size());
  if (end == std::string_view::npos) {
    const bool too_long = bytes.size() > limits.max_control_line + name->text.size();
    return too_long ? Parsed{Outcome::kLineTooLong} : Parsed{Outcome::kMore, bytes.size() + 1};
  }
  unit = {.op = name->op};
  unit.args = Trim(bytes.substr(name->text.size(), end - name->text.size()));
  if (unit.args.size() > limits.max_control_line) return {Outcome::kLineTooLong};
  if (unit.op == RouteOp::kAdd || unit.op == RouteOp::kRemove) {
    return ReadInterest(unit.args, unit) ? Parsed{Outcome::kUnit, end + 1}
                                         : Parsed{Outcome::kBadArguments};
  }
  if (unit.op != RouteOp::kMessage) return {Outcome::kUnit, end + 1};
  unit.headers = Upper(bytes[0]) == 'H';
  std::size_t total = 0;
  if (!ReadMessage(unit.args, unit, total)) return {Outcome::kBadArguments};
  if (total > limits.max_payload) return {Outcome::kPayloadTooLarge};
  return ParseBody(bytes, end + 1, total, unit);
}

}  // namespace micro::natsd
