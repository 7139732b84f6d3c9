#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "micro/error.h"

namespace micro::natsd {

/// A message as it is delivered within the process. The views are good during the call.
struct InProcessMessage {
  std::string_view subject;
  std::string_view reply;    ///< empty: no answer is wanted
  std::string_view headers;  ///< as they travel: "NATS/1.0\r\nName: value\r\n\r\n"; may be empty
  std::string_view payload;
};

struct InProcessOptions {
  std::string name = {};
  std::string account = {};  ///< empty: the default one
  bool echo = true;          ///< whether it gets what it publishes itself
  /// Whether a request that reaches nobody is answered at once, with a header of status 503.
  bool no_responders = false;
  std::size_t max_outgoing =
      8U << 20U;      ///< bytes published that wait for the server; then Publish waits
  bool waits = true;  ///< whether Publish waits then, or fails
};

class MemoryLine;

/// A client of a server in the same process: what a connection to its client port would be, without
/// the socket. Messages of one client reach each subscription in their order.
///
/// Thread-safe. Callbacks of one client are called one at a time, on a thread of the client's own.
/// They may publish, subscribe and unsubscribe, but not destroy the client; while one runs, the
/// client's other messages wait (see dropped()).
class InProcessClient {
 public:
  using Callback = std::function<void(const InProcessMessage&)>;
  using Id = std::uint64_t;

  explicit InProcessClient(std::shared_ptr<MemoryLine> line);
  /// Unsubscribes, and waits for the callback that runs.
  ~InProcessClient();
  InProcessClient(const InProcessClient&) = delete;
  InProcessClient& operator=(const InProcessClient&) = delete;

  /// Returns when the message is on its way to the server; it waits while too many are (see
  /// InProcessOptions::max_outgoing). INVALID_ARGUMENT for a subject that is none or has wildcards,
  /// for a reply that is none, and for headers without their blank line; RESOURCE_EXHAUSTED for
  /// more bytes than Options::max_payload, and where it does not wait; UNAVAILABLE when the server
  /// is gone.
  Status Publish(std::string_view subject, std::string_view payload, std::string_view reply = {},
                 std::string_view headers = {});

  /// Calls `callback` for every message to `subject`, which may have wildcards; with a `queue`, for
  /// those that fall to this member of the group. When it returns, the subscription stands: what
  /// anybody publishes on this server from then on reaches it. `max`: how many messages, then it
  /// ends by itself; 0: no limit. INVALID_ARGUMENT for a subject or queue that is none.
  Result<Id> Subscribe(std::string_view subject, std::string_view queue, Callback callback,
                       std::uint64_t max = 0);

  /// Nothing reaches the callback any more when this returns; unless it is called from a callback,
  /// it waits for the one that runs. Nothing for an unknown id.
  void Unsubscribe(Id id);
  /// As Unsubscribe, but what has already arrived is delivered first.
  void Drain(Id id);

  /// Returns when the server has taken up all that this client published and subscribed before.
  /// UNAVAILABLE when the server is gone.
  Status Flush();

  /// How many messages were thrown away because callbacks were too slow: more than
  /// Options::max_pending bytes waited.
  std::uint64_t dropped() const;

 private:
  std::shared_ptr<MemoryLine> line_;
};

}  // namespace micro::natsd
