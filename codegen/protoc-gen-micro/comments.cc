#include "comments.h"

#include <algorithm>
#include <sstream>
#include <string_view>

namespace micro::codegen {
namespace {

using google::protobuf::SourceLocation;

std::string_view TrimEnd(std::string_view line) {
  return line.substr(0, line.find_last_not_of(" \t\r\f\v") + 1);
}

/// A compiler would take the next line for a part of this one.
std::string WithoutContinuation(std::string_view line) {
  std::string text(line);
  if (text.ends_with('\\')) text.replace(text.size() - 1, 1, "&#92;");
  if (text.ends_with("?\?/")) text.replace(text.size() - 1, 1, "&#47;");
  return text;
}

std::string WithoutBlankEnds(const std::string& comment) {
  const auto begin = comment.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  const auto line = comment.rfind('\n', begin);
  return comment.substr(line == std::string::npos ? 0 : line + 1);
}

std::string AsDoc(const std::string& comment) {
  std::string doc;
  std::istringstream lines(std::string(TrimEnd(WithoutBlankEnds(comment))));
  for (std::string line; std::getline(lines, line);) {
    doc += "///" + WithoutContinuation(TrimEnd(line)) + "\n";
  }
  while (doc.ends_with("\n///\n")) doc.resize(doc.size() - 4);
  return doc;
}

template <typename T>
std::string Doc(const T& item) {
  SourceLocation at;
  if (!item.GetSourceLocation(&at)) return {};
  const std::string leading = AsDoc(at.leading_comments);
  const std::string trailing = AsDoc(at.trailing_comments);
  return leading + (leading.empty() || trailing.empty() ? "" : "///\n") + trailing;
}

}  // namespace

std::string DocOf(const google::protobuf::ServiceDescriptor& service) { return Doc(service); }

std::string DocOf(const google::protobuf::MethodDescriptor& method) { return Doc(method); }

}  // namespace micro::codegen
