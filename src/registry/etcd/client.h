#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message_lite.h>

#include "micro/runtime.h"
#include "micro/transport.h"

#include "runtime/signal.h"

namespace micro::etcd {

/// A request as a transport writes it.
std::string Encode(const google::protobuf::MessageLite& request);

/// How the wait before the next attempt grows while attempts fail, give or take a quarter.
class Backoff {
 public:
  /// `most`: what the wait grows to.
  Duration Next(Duration most);
  void Reset() { failures_ = 0; }
  bool failing() const { return failures_ > 0; }

 private:
  int failures_ = 0;
};

/// A caller of etcd: one connection to one of its servers at a time, and the next server's turn
/// when that one is gone, hangs or does not know who leads. Logs in where it has a user.
///
/// Lives on one loop; all members are called there.
class Client : public std::enable_shared_from_this<Client> {
 public:
  struct Options {
    std::vector<std::string> servers{};
    std::string username{};  ///< empty: nobody logs in
    std::string password{};
    Duration timeout{};  ///< for each call, whatever number of servers it takes
  };

  Client(std::shared_ptr<Transport> transport, Options options);

  /// Calls `method`, such as "KV/Range", once or more often: every call made here may be repeated.
  /// UNAVAILABLE or DEADLINE_EXCEEDED, naming the servers, when none answers.
  Task<Status> Call(std::string_view method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite& response, runtime::Patience patience);

  /// A call that stays open, and ends with its connection.
  struct Opened {
    transport::ClientStreamPtr stream;
    std::uint64_t line = 0;  ///< the connection it is on
  };
  Task<Result<Opened>> Open(std::string_view method, runtime::Patience patience);

  /// Tells the connections apart that there were, one after the other; 0: none yet.
  std::uint64_t line() const { return line_; }
  /// Whether a call could be made without connecting first.
  bool ready() const;
  /// Gives up connection `line`, if it is still the one, and has the next server's turn come.
  void Abandon(std::uint64_t line);
  /// Logs in again before the next call, if there is a user.
  void ForgetToken() { token_.reset(); }
  /// Closes the connection, which ends the calls on it, and opens no more.
  void Close();

  const Options& options() const { return options_; }
  /// The servers, for a person.
  std::string where() const;
  /// The error of a call that `from`, one of the servers or where(), did not answer in time.
  Failure NoAnswer(const std::string& from) const;

 private:
  enum class Remedy : std::uint8_t { kNone, kOtherServer, kLogIn };
  // Connecting and logging in, as seen by those who wait for it.
  struct Preparation {
    runtime::Signal done;
    Status outcome;
  };

  bool connected() const { return connection_ && connection_->alive(); }
  Task<Status> Ready(runtime::Patience patience);
  static internal::Detached Prepare(std::shared_ptr<Client> self, std::shared_ptr<Preparation> to);
  Task<Status> Connect();
  Task<Status> LogIn();
  Task<Status> Exchange(std::string_view method, const google::protobuf::MessageLite& request,
                        google::protobuf::MessageLite& response, runtime::Patience patience);
  Remedy RemedyFor(const Status& status) const;
  transport::CallHead HeadOf(std::string_view method) const;
  Duration Share() const;
  Failure TimedOut() const;

  const std::shared_ptr<Transport> transport_;
  const Options options_;
  std::size_t turn_;  // whose turn it is to be dialled
  std::shared_ptr<transport::Connection> connection_;
  std::string server_;  // at the other end of it
  std::uint64_t line_ = 0;
  int silences_ = 0;                  // calls on it in a row that had no answer
  std::optional<std::string> token_;  // empty: logged in where no token is needed
  std::shared_ptr<Preparation> preparation_;
  bool closed_ = false;
};

}  // namespace micro::etcd
