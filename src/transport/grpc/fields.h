#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "micro/error.h"
#include "micro/metadata.h"

#include "net/http2/session.h"

namespace micro::grpc {

/// What `grpc-message` says of an error: docs/adr/004-error-text.md.
enum class MessageForm : std::uint8_t {
  kText,  ///< the error's detail
  kJson,  ///< the whole error, as go-micro writes it
};

/// Header fields on their way out, and the texts that had to be made for them.
class Fields {
 public:
  void Static(std::string_view name, std::string_view value) {
    fields_.push_back(http2::StaticField(name, value));
  }
  /// `value` must live until the fields are submitted.
  void Add(std::string_view name, std::string_view value) {
    fields_.push_back(http2::Field(name, value));
  }
  /// A value that no other call will have: kept out of the compression table.
  void AddUnique(std::string_view name, std::string value);
  /// Lets the values that follow into the table this once: their names stay there, and the next
  /// ones need not spell them.
  void TeachNames() { teach_names_ = true; }
  /// What users may send of `metadata`; binary values are encoded.
  void Add(const Metadata& metadata);
  /// grpc-status, and what an error carries beside it.
  void Add(const Status& status, MessageForm form);

  std::span<const nghttp2_nv> span() const { return fields_; }

  /// This thread's, empty.
  static Fields& Scratch();

 private:
  std::string_view Keep(std::string text);
  void KeepOut();

  std::vector<nghttp2_nv> fields_;
  std::vector<std::unique_ptr<std::string>> texts_;
  bool teach_names_ = false;
};

/// Adds a field that came in to what a user sees; binary values are decoded. False for bad base64.
bool AddField(Metadata& metadata, std::string_view name, std::string_view value);

}  // namespace micro::grpc
