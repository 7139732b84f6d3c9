#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "micro/duration.h"
#include "micro/error.h"

#include "registry/bad_records.h"
#include "registry/mdns/links.h"
#include "registry/mdns/records.h"

namespace micro::mdns {

/// How long a lookup takes. With an answer, the lookup ends `settle` after the last packet that
/// told of a node of the service, on any interface: idle nodes answer within a fraction of that of
/// each other, and one that does not is added by its announcement or by the next lookup. Without
/// one, it asks once more after `again` and gives up after `bound`.
struct LookupTiming {
  std::chrono::milliseconds bound{100};  ///< what go-micro always waits
  std::chrono::milliseconds again{30};
  std::chrono::milliseconds settle{3};
};

/// Looks services up, with sockets of its own per lookup: go-micro answers to the port that asked.
class Resolver final {
 public:
  /// `bad`, which may be null, is told of what cannot be used.
  explicit Resolver(BadRecords* bad, LookupTiming timing = {}) : bad_(bad), timing_(timing) {}

  /// The nodes of `service`, each once. NOT_FOUND when none answers, UNAVAILABLE when it could not
  /// be asked on any link.
  Result<std::vector<Sighting>> Find(std::string_view service,
                                     const std::vector<Link>& links) const;

  /// The names of all services that answer within the whole bound: a list is for people, for whom a
  /// complete one is worth the wait.
  Result<std::vector<std::string>> List(const std::vector<Link>& links) const;

 private:
  BadRecords* bad_;
  LookupTiming timing_;
};

}  // namespace micro::mdns
