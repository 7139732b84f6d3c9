#include "natsd/config/parser.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ranges>
#include <utility>

#include "base/misconfigured.h"

namespace micro::natsd::config {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool EndsKey(char c) {
  return IsBlank(c) || std::string_view("\n:={}[],;#\"'").find(c) != std::string_view::npos;
}

bool EndsText(char c) {
  return IsBlank(c) || std::string_view("\n,;]}").find(c) != std::string_view::npos;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// "$2a$…" is the hash of a password, not a variable.
bool IsHash(std::string_view text) { return text.size() > 4 && text[1] == '2' && text[3] == '$'; }

std::string_view WithoutQuotes(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.front() == text.back();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// What the files of one configuration have in common.
struct Whole {
  const Sources* sources = nullptr;
  std::vector<Value::Items*> scopes = {};  // the maps that are being read, innermost last
  std::size_t values = 0;
  std::size_t include_depth = 0;
  std::size_t includes = 0;
};

// Reads one file.
class Parser {
 public:
  Parser(Whole& whole, const std::string& path, std::string_view text)
      : whole_(&whole), path_(std::make_shared<const std::string>(path)), text_(text) {}

  // What stands at the top goes into `map`, which is the innermost scope.
  Status ReadTop(Value::Items& map) { return ReadEntries(map, '\0'); }

 private:
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\n' : text_[at_]; }
  bool AtComment() const { return peek() == '#' || text_.substr(at_, 2) == "//"; }
  Place place() const { return {path_, line_}; }
  Failure Complain(std::string_view sentence) const { return Complaint(place(), sentence); }

  void Next() {
    if (peek() == '\n') ++line_;
    ++at_;
  }
  bool Take(char wanted) {
    if (done() || peek() != wanted) return false;
    Next();
    return true;
  }
  void SkipBlanks() {
    while (!done() && IsBlank(peek())) Next();
  }
  void SkipLine() {
    while (!done() && peek() != '\n') Next();
  }
  void SkipToEntry();

  Status Count(std::size_t values);
  Status ReadEntries(Value::Items& map, char end);
  Status ReadEntry(Value::Items& map);
  Status Include(Value::Items& map);
  Status ReadIncluded(Value::Items& map, const std::string& path);
  Result<std::string> ReadKey();
  Result<Value> ReadValue();
  Result<Value> ReadMap();
  Result<Value> ReadList();
  Status ReadItems(Value::Items& list, int begun);
  Result<Value> ReadText();
  Result<Value> ReadQuoted();
  Status ReadEscape(std::string& text);
  Result<Value> Resolve(const std::string& name);
  Result<Value> Copy(const Value& value);
  Status EndValue();

  Whole* whole_;
  std::shared_ptr<const std::string> path_;
  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::size_t depth_ = 0;
};

// Between entries, and between what a list has, all of these separate alike.
void Parser::SkipToEntry() {
  while (!done()) {
    if (AtComment()) {
      SkipLine();
    } else if (IsBlank(peek()) || peek() == '\n' || peek() == ',' || peek() == ';') {
      Next();
    } else {
      return;
    }
  }
}

Status Parser::Count(std::size_t values) {
  whole_->values += values;
  if (whole_->values <= kMostValues) return Ok();
  return Complain("the configuration has more than " + std::to_string(kMostValues) + " values");
}

// NOLINTBEGIN(misc-no-recursion): bounded by kDeepest.

Status Parser::ReadEntries(Value::Items& map, char end) {
  const int begun = line_;
  for (;;) {
    SkipToEntry();
    if (done()) {
      if (end == '\0') return Ok();
      return Complain("the file ends within the \"{\" of line " + std::to_string(begun));
    }
    if (end != '\0' && Take(end)) return Ok();
    if (auto read = ReadEntry(map); !read) return read;
  }
}

Status Parser::ReadEntry(Value::Items& map) {
  auto key = ReadKey();
  if (!key) return Failure(std::move(key.error()));
  SkipBlanks();
  const bool separated = Take(':') || Take('=');
  if (!separated && *key == "include") return Include(map);
  SkipBlanks();
  auto value = ReadValue();
  if (!value) return Failure(std::move(value.error()));
  value->key = *std::move(key);
  map.push_back(*std::move(value));
  return EndValue();
}

Result<std::string> Parser::ReadKey() {
  if (peek() == '"' || peek() == '\'') {
    auto quoted = ReadQuoted();
    if (!quoted) return Failure(std::move(quoted.error()));
    return quoted->content;
  }
  const std::size_t begin = at_;
  while (!done() && !EndsKey(peek())) Next();
  if (at_ == begin) return Complain("a key cannot begin with " + Quoted(text_.substr(at_, 1)));
  return std::string(text_.substr(begin, at_ - begin));
}

Status Parser::Include(Value::Items& map) {
  SkipBlanks();
  const bool named = peek() != '{' && peek() != '[';
  auto path = named ? ReadValue() : Complain("include wants the name of a file");
  if (!path) return Failure(std::move(path.error()));
  if (path->text() == nullptr) return Complain("include wants the name of a file");
  if (auto end = EndValue(); !end) return end;
  const auto beside = std::filesystem::path(*path_).parent_path() / *path->text();
  if (whole_->include_depth >= kDeepestInclude || ++whole_->includes > kMostIncludes) {
    return Complain("files include each other too often, or in a circle");
  }
  return ReadIncluded(map, beside.lexically_normal().string());
}

Status Parser::ReadIncluded(Value::Items& map, const std::string& path) {
  auto text = whole_->sources->file(path);
  if (!text) return Complain(text.error().detail());
  ++whole_->include_depth;
  Parser included(*whole_, path, *text);
  included.depth_ = depth_;
  auto read = included.ReadTop(map);
  --whole_->include_depth;
  return read;
}

Result<Value> Parser::ReadValue() {
  if (auto counted = Count(1); !counted) return Failure(std::move(counted.error()));
  switch (peek()) {
    case '{':
      return ReadMap();
    case '[':
      return ReadList();
    case '"':
    case '\'':
      return ReadQuoted();
    case '(':
      return Complain("blocks of text in parentheses are not supported");
    default:
      return ReadText();
  }
}

Result<Value> Parser::ReadMap() {
  if (++depth_ > kDeepest) return Complain("maps and lists lie too deep within each other");
  Value value{.kind = Value::Kind::kMap, .place = place()};
  Next();
  whole_->scopes.push_back(&value.items);
  auto read = ReadEntries(value.items, '}');
  whole_->scopes.pop_back();
  --depth_;
  if (!read) return Failure(std::move(read.error()));
  return value;
}

Result<Value> Parser::ReadList() {
  if (++depth_ > kDeepest) return Complain("maps and lists lie too deep within each other");
  Value value{.kind = Value::Kind::kList, .place = place()};
  Next();
  auto read = ReadItems(value.items, value.place.line);
  --depth_;
  if (!read) return Failure(std::move(read.error()));
  return value;
}

Status Parser::ReadItems(Value::Items& list, int begun) {
  for (;;) {
    SkipToEntry();
    if (done()) {
      return Complain("the file ends within the \"[\" of line " + std::to_string(begun));
    }
    if (Take(']')) return Ok();
    auto item = ReadValue();
    if (!item) return Failure(std::move(item.error()));
    list.push_back(*std::move(item));
    if (auto end = EndValue(); !end) return end;
  }
}

// NOLINTEND(misc-no-recursion)

Result<Value> Parser::ReadText() {
  Value value{.place = place()};
  const std::size_t begin = at_;
  while (!done() && !EndsText(peek())) Next();
  std::string text(text_.substr(begin, at_ - begin));
  if (text.empty() || text.front() == '#') return Complain("a value is missing");
  if (text.front() == '$' && !IsHash(text)) return Resolve(text.substr(1));
  value.content = std::move(text);
  return value;
}

Result<Value> Parser::ReadQuoted() {
  Value value{.place = place()};
  std::string& text = value.content;
  const char quote = peek();
  Next();
  while (!done() && peek() != quote) {
    if (quote == '"' && peek() == '\\') {
      if (auto read = ReadEscape(text); !read) return Failure(std::move(read.error()));
      continue;
    }
    text += peek();
    Next();
  }
  if (!Take(quote)) return Complaint(value.place, "the text that is quoted here does not end");
  return value;
}

Status Parser::ReadEscape(std::string& text) {
  constexpr std::array<std::pair<char, char>, 5> kEscapes = {
      {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'"', '"'}, {'\\', '\\'}}};
  Next();
  const char kind = peek();
  for (const auto& [letter, meant] : kEscapes) {
    if (kind != letter || done()) continue;
    text += meant;
    Next();
    return Ok();
  }
  const std::string_view digits = text_.substr(std::min(at_ + 1, text_.size()), 2);
  if (kind != 'x' || digits.size() < 2 || HexValue(digits[0]) < 0 || HexValue(digits[1]) < 0) {
    return Complain(R"(after a backslash there is n, t, r, x and two digits, " or \)");
  }
  text += static_cast<char>(HexValue(digits[0]) * 16 + HexValue(digits[1]));
  at_ += 3;
  return Ok();
}

Result<Value> Parser::Resolve(const std::string& name) {
  for (Value::Items* scope : whole_->scopes | std::views::reverse) {
    for (Value& entry : *scope | std::views::reverse) {
      if (entry.key != name) continue;
      entry.used = true;
      return Copy(entry);
    }
  }
  const auto variable = whole_->sources->variable(name);
  if (!variable) {
    return Complain("$" + name + " is neither a key above nor a variable of the environment");
  }
  return Value{.place = place(), .content = std::string(WithoutQuotes(*variable))};
}

Result<Value> Parser::Copy(const Value& value) {
  const Extent extent = ExtentOf(value);
  if (auto counted = Count(extent.values); !counted) return Failure(std::move(counted.error()));
  if (depth_ + extent.depth > kDeepest + 1) {
    return Complain("maps and lists lie too deep within each other");
  }
  return value;
}

Status Parser::EndValue() {
  SkipBlanks();
  const bool ends =
      done() || AtComment() || std::string_view("\n,;]}").find(peek()) != std::string_view::npos;
  if (ends) return Ok();
  const auto rest = text_.substr(at_);
  return Complain("what follows a value begins on a new line, or after a comma: " +
                  Quoted(rest.substr(0, rest.find('\n'))));
}

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kLongestFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return Misconfigured("cannot read the file " + path);
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() <= kLongestFile) return text;
  return Misconfigured("the file " + path + " is longer than a configuration may be");
}

std::optional<std::string> Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): only reads
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

Sources Sources::Real() { return {.file = ReadFile, .variable = Variable}; }

Result<Value> Parse(const std::string& path, const std::string& text, const Sources& sources) {
  Value value{.kind = Value::Kind::kMap,
              .place = {.file = std::make_shared<const std::string>(path), .line = 1}};
  Whole whole{.sources = &sources, .scopes = {&value.items}};
  auto read = Parser(whole, path, text).ReadTop(value.items);
  if (!read) return Failure(std::move(read.error()));
  return value;
}

Result<Value> ParseFile(const std::string& path, const Sources& sources) {
  auto text = sources.file(path);
  if (!text) return Failure(std::move(text.error()));
  return Parse(path, *text, sources);
}

}  // namespace micro::natsd::config
