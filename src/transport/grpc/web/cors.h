#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "micro/metadata.h"

#include "transport/grpc/web/request.h"

namespace micro::web {

/// Which pages of other origins a browser lets call us, and read our answers (the fetch standard,
/// "CORS protocol").
class Cors {
 public:
  /// Origins such as "https://app.example.org"; "*" for all; none: no page.
  explicit Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  /// Adds to an answer's fields what lets the request's page read it.
  void Allow(const Request& request, Metadata& fields) const;

  /// Whether a request asks for leave ahead of another.
  static bool IsPreflight(const Request& request);
  /// The fields of the answer to that.
  Metadata Preflight(const Request& request) const;

 private:
  bool any() const;
  bool Knows(std::string_view origin) const;

  std::vector<std::string> origins_;
};

/// Says which of an answer's fields its page may see: all that we send.
void ExposeFields(Metadata& fields);

}  // namespace micro::web
