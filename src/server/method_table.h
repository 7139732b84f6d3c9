#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "micro/error.h"
#include "micro/handler.h"
#include "micro/registry.h"

#include "observe/observer.h"

namespace micro::server {

/// A method that is served.
struct Served {
  std::shared_ptr<Handler> handler;
  const Method* method = nullptr;
  std::string endpoint;   // "Greeter.Hello"
  bool standard = false;  // one that every server has
  const std::string* span_name = nullptr;
  mutable observe::CallStats stats;
};

/// What a server serves, by path.
class MethodTable {
 public:
  /// ALREADY_EXISTS when a path of the handler's is served already.
  Status Add(std::shared_ptr<Handler> handler);
  /// Serves what every server does: no registry shows it, and what is served already goes first.
  /// `short_form` says whether it is also found as go-micro calls.
  void AddStandard(const std::shared_ptr<Handler>& handler, bool short_form);

  /// The method for a path: "/package.Service/Method", or with any other prefix before the last dot
  /// of the first segment, as go-micro calls (the prefix is the name in discovery there).
  /// INVALID_ARGUMENT for no such form, UNIMPLEMENTED for what is not served, in go-micro's words.
  Result<const Served*> Find(std::string_view path) const;

  /// Gives every method the name of its spans, in `service`.
  void NameSpans(const std::string& service, observe::Observer& observer);
  /// What is counted of calls that Find does not find.
  observe::CallStats& unknown() const { return unknown_; }
  /// What was counted, by method: of those that were called.
  std::vector<observe::LabelledTotals> Totals() const;

  /// The full names of all handlers, sorted.
  std::vector<std::string> Names() const;

  /// As a registry shows them: sorted by handler, then by method.
  std::vector<Endpoint> Endpoints() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Paths = std::unordered_map<std::string, std::shared_ptr<Served>, Hash, std::equal_to<>>;

  Result<const Served*> FindShort(std::string_view path) const;

  Paths by_path_;
  Paths by_endpoint_;  // "Greeter.Hello"
  mutable observe::CallStats unknown_;
};

}  // namespace micro::server
