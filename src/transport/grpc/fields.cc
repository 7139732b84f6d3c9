#include "transport/grpc/fields.h"

#include <array>

#include "transport/grpc/status_details.h"
#include "transport/grpc/wire.h"

namespace micro::grpc {
namespace {

constexpr std::array<std::string_view, 17> kCodes = {
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"};

// Keys whose values no other call will have.
bool IsUnique(std::string_view key) {
  return key == "traceparent" || key == "micro-trace-id" || key == "micro-span-id";
}

}  // namespace

Fields& Fields::Scratch() {
  thread_local Fields fields;
  fields.fields_.clear();
  fields.texts_.clear();
  fields.teach_names_ = false;
  return fields;
}

std::string_view Fields::Keep(std::string text) {
  return *texts_.emplace_back(std::make_unique<std::string>(std::move(text)));
}

void Fields::AddUnique(std::string_view name, std::string value) {
  Add(name, Keep(std::move(value)));
  KeepOut();
}

void Fields::KeepOut() {
  if (!teach_names_) fields_.back().flags |= NGHTTP2_NV_FLAG_NO_INDEX;
}

void Fields::Add(const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (IsReserved(key) || !IsSendable(key, value)) continue;
    Add(key, IsBinary(key) ? Keep(Base64Encode(value)) : value);
    if (IsUnique(key)) KeepOut();
  }
}

void Fields::Add(const Status& status, MessageForm form) {
  if (status) return Static("grpc-status", "0");
  const Error& error = status.error();
  Static("grpc-status", kCodes.at(static_cast<std::size_t>(error.code())));
  const std::string message = form == MessageForm::kJson ? ErrorJson(error) : ErrorText(error);
  AddUnique("grpc-message", PercentEncode(message));
  AddUnique("grpc-status-details-bin", Base64Encode(ErrorDetails(error, message)));
  if (!error.retry_after()) return;
  const auto delay = std::chrono::ceil<std::chrono::milliseconds>(*error.retry_after());
  AddUnique("grpc-retry-pushback-ms", std::to_string(delay.count()));
}

bool AddField(Metadata& metadata, std::string_view name, std::string_view value) {
  if (!IsBinary(name)) return metadata.Add(name, value), true;
  while (true) {
    const std::size_t comma = value.find(',');
    const auto bytes = Base64Decode(value.substr(0, comma));
    if (!bytes) return false;
    metadata.Add(name, *bytes);
    if (comma == std::string_view::npos) return true;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace micro::grpc
