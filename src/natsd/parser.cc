#include "natsd/parser.h"

#include <algorithm>
#include <array>

namespace micro::natsd {
namespace {

struct Name {
  std::string_view text;
  Op op;
};
constexpr std::array<Name, 10> kNames{{{"PUB", Op::kPub},
                                       {"HPUB", Op::kHpub},
                                       {"SUB", Op::kSub},
                                       {"UNSUB", Op::kUnsub},
                                       {"PING", Op::kPing},
                                       {"PONG", Op::kPong},
                                       {"CONNECT", Op::kConnect},
                                       {"INFO", Op::kInfo},
                                       {"+OK", Op::kOk},
                                       {"-ERR", Op::kErr}}};

constexpr std::size_t kMostDigits = 9;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// What comes behind PING, PONG and +OK is nobody's business.
bool HasArguments(Op op) { return op != Op::kPing && op != Op::kPong && op != Op::kOk; }

// How many bytes of `name` the bytes begin with, whatever their case.
std::size_t Common(std::string_view bytes, std::string_view name) {
  std::size_t size = 0;
  while (size < name.size() && size < bytes.size() && Upper(bytes[size]) == name[size]) ++size;
  return size;
}

enum class Begins : std::uint8_t { kYes, kPerhaps, kNo };

Begins BeginsWith(std::string_view bytes, const Name& name) {
  const std::size_t common = Common(bytes, name.text);
  if (common < name.text.size()) return common == bytes.size() ? Begins::kPerhaps : Begins::kNo;
  if (!HasArguments(name.op)) return Begins::kYes;
  if (bytes.size() == common) return Begins::kPerhaps;
  return bytes[common] == ' ' || bytes[common] == '\t' ? Begins::kYes : Begins::kNo;
}

// The operation at the front; null, with whether more bytes could make it one.
const Name* NameOf(std::string_view bytes, bool& perhaps) {
  perhaps = false;
  for (const Name& name : kNames) {
    const Begins begins = BeginsWith(bytes, name);
    if (begins == Begins::kYes) return &name;
    perhaps = perhaps || begins == Begins::kPerhaps;
  }
  return nullptr;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// The fields of a PUB's or HPUB's line: subject, perhaps a reply, and one or two sizes.
bool ReadPublish(std::string_view args, Unit& unit, std::size_t& total) {
  std::array<std::string_view, 4> fields;
  std::size_t count = 0;
  for (std::string_view field = TakeField(args); !field.empty(); field = TakeField(args)) {
    if (count == fields.size()) return false;
    fields[count++] = field;
  }
  const std::size_t sizes = unit.op == Op::kHpub ? 2 : 1;
  if (count != sizes + 1 && count != sizes + 2) return false;
  unit.subject = fields[0];
  unit.reply = count == sizes + 2 ? fields[1] : std::string_view();
  if (!ReadSize(fields[count - 1], total)) return false;
  unit.header_size = 0;
  return sizes == 1 || (ReadSize(fields[count - 2], unit.header_size) && unit.header_size <= total);
}

// Whether the line from the subject on is what we would write ourselves.
bool IsCanonical(std::string_view line, const Unit& unit) {
  if (line.substr(0, unit.subject.size()) != unit.subject) return false;
  if (!line.ends_with("\r\n")) return false;
  line.remove_suffix(2);
  for (std::size_t i = 1; i < line.size(); ++i) {
    const bool blank = IsBlank(line[i]);
    if (blank && (line[i] != ' ' || IsBlank(line[i - 1]))) return false;
  }
  return !line.empty() && !IsBlank(line.back());
}

// `at`: where the payload begins.
Parsed ParseBody(std::string_view bytes, std::size_t at, std::size_t total, Unit& unit) {
  const std::size_t end = at + total;
  if (bytes.size() > end && bytes[end] != '\r') return {Outcome::kUnknown};
  if (bytes.size() > end + 1 && bytes[end + 1] != '\n') return {Outcome::kUnknown};
  if (bytes.size() < end + 2) return {Outcome::kMore, bytes.size() > end ? end + 2 : end + 1};
  unit.body = bytes.substr(at, total);
  const auto subject = static_cast<std::size_t>(unit.subject.data() - bytes.data());
  const std::string_view line = bytes.substr(subject, at - subject);
  unit.tail = {};
  if (IsCanonical(line, unit)) {
    unit.tail = bytes.substr(subject, end + 2 - subject).substr(unit.subject.size() + 1);
  }
  return {Outcome::kUnit, end + 2};
}

}  // namespace

std::string_view TakeField(std::string_view& text) {
  const auto* begin = std::find_if_not(text.begin(), text.end(), IsBlank);
  const auto* end = std::find_if(begin, text.end(), IsBlank);
  const std::string_view field(begin, end);
  text = {end, text.end()};
  return field;
}

bool ReadSize(std::string_view text, std::size_t& size) {
  if (text.empty() || text.size() > kMostDigits) return false;
  size = 0;
  for (const char c : text) {
    if (!IsDigit(c)) return false;
    size = size * 10 + static_cast<std::size_t>(c - '0');
  }
  return true;
}

Parsed ParseUnit(std::string_view bytes, const ParserLimits& limits, Unit& unit) {
  bool perhaps = false;
  const Name* name = NameOf(bytes, perhaps);
  if (name == nullptr) {
    return perhaps ? Parsed{Outcome::kMore, bytes.size() + 1} : Parsed{Outcome::kUnknown};
  }
  unit = {.op = name->op};
  const std::size_t end = bytes.find('\n', name->text.size());
  const bool whole = end != std::string_view::npos;
  const std::string_view line =
      bytes.substr(name->text.size(), (whole ? end : bytes.size()) - name->text.size());
  unit.args = Trim(line);
  if (unit.args.size() > limits.max_control_line ||
      (!whole && line.size() > 2 * limits.max_control_line)) {
    return {Outcome::kLineTooLong};
  }
  if (!whole) return {Outcome::kMore, bytes.size() + 1};
  if (unit.op != Op::kPub && unit.op != Op::kHpub) return {Outcome::kUnit, end + 1};
  std::size_t total = 0;
  if (!ReadPublish(unit.args, unit, total)) return {Outcome::kBadArguments};
  if (total > limits.max_payload) return {Outcome::kPayloadTooLarge};
  return ParseBody(bytes, end + 1, total, unit);
}

namespace {

// Reads digits and what ends them; moves `at` behind it.
inline bool ScanSize(const char*& at, const char* end, char terminator, std::size_t& size) {
  const char* p = at;
  size = 0;
  while (p < end && IsDigit(*p)) size = size * 10 + static_cast<std::size_t>(*p++ - '0');
  if (p == at || p == end || p - at > static_cast<std::ptrdiff_t>(kMostDigits)) return false;
  if (*p != terminator) return false;
  at = p + 1;
  return true;
}

// A field that is not empty and ends in a space; moves `at` behind that.
inline bool ScanField(const char*& at, const char* end, std::string_view& field) {
  const char* p = at;
  while (p < end && static_cast<unsigned char>(*p) > ' ') ++p;
  if (p == at || p == end || *p != ' ') return false;
  field = {at, p};
  at = p + 1;
  return true;
}

inline bool ScanSubject(const char*& at, const char* end, std::string_view expected, Unit& unit) {
  const auto room = static_cast<std::size_t>(end - at);
  unit.expected = !expected.empty() && room > expected.size() && at[expected.size()] == ' ' &&
                  expected == std::string_view(at, expected.size());
  if (!unit.expected) return ScanField(at, end, unit.subject);
  unit.subject = {at, expected.size()};
  at += expected.size() + 1;
  return true;
}

// The sizes that end a line, and its CRLF.
inline bool ScanSizes(const char*& at, const char* end, Unit& unit, std::size_t& total) {
  const char* p = at;
  if (unit.op == Op::kHpub && !ScanSize(p, end, ' ', unit.header_size)) return false;
  if (!ScanSize(p, end, '\r', total) || p == end || *p != '\n') return false;
  at = p + 1;
  return true;
}

}  // namespace

bool ParsePublish(std::string_view bytes, const ParserLimits& limits, std::string_view expected,
                  Unit& unit, std::size_t& size) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  if (bytes.starts_with("PUB ")) {
    unit.op = Op::kPub;
    unit.header_size = 0;
    at += 4;
  } else if (bytes.starts_with("HPUB ")) {
    unit.op = Op::kHpub;
    at += 5;
  } else {
    return false;
  }
  const char* const args = at;
  if (!ScanSubject(at, end, expected, unit)) return false;
  const char* const tail = at;
  std::size_t total = 0;
  unit.reply = {};
  if (!ScanSizes(at, end, unit, total)) {
    if (!ScanField(at, end, unit.reply) || !ScanSizes(at, end, unit, total)) return false;
  }
  if (static_cast<std::size_t>(at - 2 - args) > limits.max_control_line) return false;
  if (total > limits.max_payload || unit.header_size > total) return false;
  if (static_cast<std::size_t>(end - at) < total + 2) return false;
  unit.body = {at, total};
  at += total;
  if (at[0] != '\r' || at[1] != '\n') return false;
  unit.tail = {tail, at + 2};
  size = static_cast<std::size_t>(at + 2 - bytes.data());
  return true;
}

}  // namespace micro::natsd
