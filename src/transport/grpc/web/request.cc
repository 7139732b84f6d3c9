#include "transport/grpc/web/request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "transport/grpc/fields.h"
#include "transport/grpc/wire.h"

namespace micro::web {
namespace {

void TakeTimeout(Request& request, std::string_view value) {
  const auto deadline = grpc::DecodeDeadline(value);
  if (deadline) {
    request.head.deadline = *deadline;
  } else {
    request.status = Failure(deadline.error());
  }
}

void TakeHeader(Request& request, std::string_view name, std::string_view value) {
  if (name == "content-type") {
    request.head.content_type = value;
  } else if (name == "grpc-timeout") {
    TakeTimeout(request, value);
  } else if (name == "user-agent" || !grpc::IsReserved(name)) {
    if (!grpc::AddField(request.head.metadata, name, value)) {
      request.status = InvalidArgument("the value of " + std::string(name) + " is no base64");
    }
  }
}

// What stands before `mark`; `text` is left with what stands behind it.
std::string_view CutAt(std::string_view& text, char mark) {
  const std::string_view all = text;
  const std::size_t end = all.find(mark);
  text = end == std::string_view::npos ? std::string_view() : all.substr(end + 1);
  return all.substr(0, end);
}

}  // namespace

Request ReadRequest(http::Request head) {
  Request request{.method = std::move(head.method), .head = {}, .query = {}, .status = {}};
  request.head.path = std::move(head.target);
  request.head.authority = std::move(head.authority);
  for (const auto& [name, value] : head.fields) TakeHeader(request, name, value);
  SplitTarget(request);
  return request;
}

void SplitTarget(Request& request) {
  std::string& path = request.head.path;
  const std::size_t mark = path.find('?');
  if (mark == std::string::npos) return;
  request.query = path.substr(mark + 1);
  path.resize(mark);
}

bool IsReserved(std::string_view key) {
  constexpr std::array<std::string_view, 11> kOwn = {"accept",
                                                     "accept-encoding",
                                                     "content-encoding",
                                                     "content-length",
                                                     "date",
                                                     "expect",
                                                     "keep-alive",
                                                     "te",
                                                     "trailer",
                                                     "vary",
                                                     "x-grpc-web"};
  return grpc::IsReserved(key) || key.starts_with("connect-") ||
         key.starts_with("access-control-") ||
         std::find(kOwn.begin(), kOwn.end(), key) != kOwn.end();
}

std::string TakeField(Request& request, std::string_view name) {
  const std::string value(request.head.metadata.Get(name).value_or(""));
  request.head.metadata.Remove(name);
  return value;
}

void AddMetadata(const Metadata& metadata, std::string_view prefix, Metadata& fields) {
  for (const auto& [key, value] : metadata) {
    if (IsReserved(key) || !grpc::IsSendable(key, value)) continue;
    const std::string name = std::string(prefix).append(key);
    fields.Add(name, grpc::IsBinary(key) ? grpc::Base64Encode(value) : std::string(value));
  }
}

std::optional<std::string> Parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view value = CutAt(query, '&');
    if (CutAt(value, '=') != name) continue;
    std::string text(value);
    std::replace(text.begin(), text.end(), '+', ' ');
    return grpc::PercentDecode(text);
  }
  return std::nullopt;
}

}  // namespace micro::web
