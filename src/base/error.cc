#include "micro/error.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include <google/protobuf/message.h>

namespace micro {
namespace {

struct CodeRow {
  std::string_view name;
  int http;
};

// Indexed by gRPC code. The numbers are go-micro's where it has one, the usual HTTP ones elsewhere.
constexpr std::array<CodeRow, 17> kCodes = {{
    {"OK", 200},
    {"CANCELLED", 499},
    {"UNKNOWN", 500},
    {"INVALID_ARGUMENT", 400},
    {"DEADLINE_EXCEEDED", 408},
    {"NOT_FOUND", 404},
    {"ALREADY_EXISTS", 409},
    {"PERMISSION_DENIED", 403},
    {"RESOURCE_EXHAUSTED", 429},
    {"FAILED_PRECONDITION", 412},
    {"ABORTED", 409},
    {"OUT_OF_RANGE", 400},
    {"UNIMPLEMENTED", 501},
    {"INTERNAL", 500},
    {"UNAVAILABLE", 503},
    {"DATA_LOSS", 500},
    {"UNAUTHENTICATED", 401},
}};

constexpr std::array<std::string_view, 7> kPhases = {"",        "usage", "configure", "resolve",
                                                     "connect", "send",  "remote"};

}  // namespace

std::string_view ToString(Code code) { return kCodes.at(static_cast<std::size_t>(code)).name; }

int ToHttp(Code code) { return kCodes.at(static_cast<std::size_t>(code)).http; }

Code FromHttp(int number) {
  switch (number) {
    case 200:
      return Code::kOk;
    case 400:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 408:
      return Code::kDeadlineExceeded;
    case 409:
      return Code::kAlreadyExists;
    case 412:
      return Code::kFailedPrecondition;
    case 500:
      return Code::kInternal;
    case 501:
      return Code::kUnimplemented;
    case 503:
      return Code::kUnavailable;
    default:
      return Code::kUnknown;
  }
}

std::string_view ToString(Phase phase) { return kPhases.at(static_cast<std::size_t>(phase)); }

struct Error::Fields {
  Code code = Code::kUnknown;
  Phase phase = Phase::kNone;
  int http = 0;
  int attempts = 0;
  std::string detail;
  std::string id;
  std::string node;
  std::string earlier;
  std::optional<std::chrono::nanoseconds> retry_after;
  std::vector<ErrorDetail> details;

  bool operator==(const Fields&) const = default;
};

Error::Error(Code code, std::string detail) : fields_(std::make_unique<Fields>()) {
  fields_->code = code;
  fields_->detail = std::move(detail);
}

Error::Error(const Error& other) : fields_(std::make_unique<Fields>(*other.fields_)) {}
Error::Error(Error&& other) noexcept = default;
Error& Error::operator=(Error&& other) noexcept = default;
Error::~Error() = default;

Error& Error::operator=(const Error& other) {
  if (this != &other) fields_ = std::make_unique<Fields>(*other.fields_);
  return *this;
}

Error Error::FromHttpCode(std::string id, int http, std::string detail) {
  return FromWire(FromHttp(http), std::move(id), http, std::move(detail));
}

Error Error::FromWire(Code code, std::string id, int http, std::string detail) {
  Error error(code, std::move(detail));
  error.fields_->http = http;
  error.fields_->id = std::move(id);
  return error;
}

Code Error::code() const { return fields_->code; }
const std::string& Error::detail() const { return fields_->detail; }
const std::string& Error::id() const { return fields_->id; }
int Error::http_code() const { return fields_->http != 0 ? fields_->http : ToHttp(fields_->code); }
Phase Error::phase() const { return fields_->phase; }
const std::string& Error::node() const { return fields_->node; }
int Error::attempts() const { return fields_->attempts; }
const std::string& Error::earlier() const { return fields_->earlier; }

std::optional<std::chrono::nanoseconds> Error::retry_after() const { return fields_->retry_after; }
const std::vector<ErrorDetail>& Error::details() const { return fields_->details; }

bool Error::GetDetail(google::protobuf::Message& message) const {
  const std::string name = "/" + message.GetTypeName();
  const auto detail = std::ranges::find_if(
      details(), [&](const ErrorDetail& one) { return one.type.ends_with(name); });
  return detail != details().end() && message.ParseFromString(detail->value);
}

Error& Error::AddDetail(const google::protobuf::Message& message) {
  return AddDetail({"type.googleapis.com/" + message.GetTypeName(), message.SerializeAsString()});
}

Error& Error::AddDetail(ErrorDetail detail) {
  fields_->details.push_back(std::move(detail));
  return *this;
}

Error& Error::set_retry_after(std::chrono::nanoseconds delay) {
  fields_->retry_after = delay;
  return *this;
}

Error& Error::set_id(std::string id) {
  fields_->id = std::move(id);
  return *this;
}

Error& Error::set_phase(Phase phase) {
  fields_->phase = phase;
  return *this;
}

Error& Error::set_node(std::string node) {
  fields_->node = std::move(node);
  return *this;
}

Error& Error::set_attempts(int attempts) {
  fields_->attempts = attempts;
  return *this;
}

Error& Error::set_earlier(std::string earlier) {
  fields_->earlier = std::move(earlier);
  return *this;
}

std::string Error::ToString() const {
  std::string text(micro::ToString(code()));
  text += ": " + detail();
  std::string where;
  const auto add = [&where](const std::string& part) {
    where += (where.empty() ? " (" : ", ") + part;
  };
  if (!id().empty()) add("from " + id());
  if (phase() != Phase::kNone) add("phase " + std::string(micro::ToString(phase())));
  if (!node().empty()) add("node " + node());
  if (attempts() > 0) add("attempt " + std::to_string(attempts()));
  if (!earlier().empty()) add("before: " + earlier());
  return where.empty() ? text : text + where + ")";
}

bool operator==(const Error& a, const Error& b) { return *a.fields_ == *b.fields_; }

Failure Fails(Code code, std::string detail) { return Failure(Error(code, std::move(detail))); }
Failure Fails(Error error) { return Failure(std::move(error)); }

Failure Cancelled(std::string d) { return Fails(Code::kCancelled, std::move(d)); }
Failure Unknown(std::string d) { return Fails(Code::kUnknown, std::move(d)); }
Failure InvalidArgument(std::string d) { return Fails(Code::kInvalidArgument, std::move(d)); }
Failure DeadlineExceeded(std::string d) { return Fails(Code::kDeadlineExceeded, std::move(d)); }
Failure NotFound(std::string d) { return Fails(Code::kNotFound, std::move(d)); }
Failure AlreadyExists(std::string d) { return Fails(Code::kAlreadyExists, std::move(d)); }
Failure PermissionDenied(std::string d) { return Fails(Code::kPermissionDenied, std::move(d)); }
Failure ResourceExhausted(std::string d) { return Fails(Code::kResourceExhausted, std::move(d)); }
Failure FailedPrecondition(std::string d) { return Fails(Code::kFailedPrecondition, std::move(d)); }
Failure Aborted(std::string d) { return Fails(Code::kAborted, std::move(d)); }
Failure OutOfRange(std::string d) { return Fails(Code::kOutOfRange, std::move(d)); }
Failure Unimplemented(std::string d) { return Fails(Code::kUnimplemented, std::move(d)); }
Failure Internal(std::string d) { return Fails(Code::kInternal, std::move(d)); }
Failure Unavailable(std::string d) { return Fails(Code::kUnavailable, std::move(d)); }
Failure DataLoss(std::string d) { return Fails(Code::kDataLoss, std::move(d)); }
Failure Unauthenticated(std::string d) { return Fails(Code::kUnauthenticated, std::move(d)); }

int Fail(const Error& error) {
  if (error.phase() == Phase::kUsage) {
    std::fputs(error.detail().c_str(), stdout);
    return 0;
  }
  const bool configured = error.phase() == Phase::kConfigure;
  const std::string line = (configured ? error.detail() : error.ToString()) + "\n";
  std::fputs(line.c_str(), stderr);
  return configured ? 2 : 1;
}

}  // namespace micro
