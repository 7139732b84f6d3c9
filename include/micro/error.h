#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
}

namespace micro {

/// gRPC's status codes, with gRPC's numbers.
enum class Code : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// The code as gRPC spells it, such as "NOT_FOUND".
std::string_view ToString(Code code);

/// The HTTP-like number that go-micro's errors carry for `code`, such as 404 for kNotFound.
int ToHttp(Code code);

/// The gRPC code that go-micro puts on the wire for an HTTP-like number; kUnknown where it has
/// none.
Code FromHttp(int number);

/// A message that an error carries, as a google.protobuf.Any does.
struct ErrorDetail {
  std::string type;  ///< "type.googleapis.com/google.rpc.BadRequest"
  std::string value;

  friend bool operator==(const ErrorDetail&, const ErrorDetail&) = default;
};

/// Where a call, or a start, failed.
enum class Phase : std::uint8_t {
  kNone,       ///< not said
  kUsage,      ///< nothing failed: `--help` was asked for, and the detail is its text
  kConfigure,  ///< an option is unknown or cannot be used
  kResolve,    ///< the service's nodes could not be found
  kConnect,    ///< no connection to a node; nothing was sent
  kSend,       ///< the request left, and no answer is known
  kRemote,     ///< the other side answered with this error
};

/// The phase as a word, such as "connect"; empty for kNone.
std::string_view ToString(Phase phase);

/// Why something failed, as a value: a code to act on, a detail to read, and where it happened.
///
/// An Error is one pointer wide, so that a Result costs a call that succeeds nothing.
class Error {
 public:
  Error(Code code, std::string detail);
  Error(const Error& other);
  Error(Error&& other) noexcept;
  Error& operator=(const Error& other);
  Error& operator=(Error&& other) noexcept;
  ~Error();

  /// An error as go-micro makes it: `id` says who (a service's name), `http` is its HTTP-like code,
  /// and the gRPC code follows from it.
  static Error FromHttpCode(std::string id, int http, std::string detail);

  /// An error as it arrived: the gRPC code of the wire, and what go-micro puts beside it (`http` 0:
  /// nothing).
  static Error FromWire(Code code, std::string id, int http, std::string detail);

  Code code() const;
  /// What happened, for a person; never empty for errors of the library.
  const std::string& detail() const;
  /// Who made the error, as a service's name; may be empty.
  const std::string& id() const;
  /// go-micro's HTTP-like code: the one given, or the one that belongs to code().
  int http_code() const;
  Phase phase() const;
  /// The node that was tried, as "id at address"; empty if none was.
  const std::string& node() const;
  /// How many attempts were made, this one included; 0 if none was.
  int attempts() const;
  /// What became of the attempts before the last, as "node: detail; node: detail"; empty if there
  /// were none.
  const std::string& earlier() const;

  /// When it may be tried again, if the one who failed said so: nothing of the call was done then.
  std::optional<std::chrono::nanoseconds> retry_after() const;
  /// More about it, for programs: messages that both sides know, such as google.rpc.BadRequest.
  const std::vector<ErrorDetail>& details() const;
  /// Reads the first detail of `message`'s type into it; false when there is none.
  bool GetDetail(google::protobuf::Message& message) const;

  Error& AddDetail(const google::protobuf::Message& message);
  Error& AddDetail(ErrorDetail detail);
  Error& set_retry_after(std::chrono::nanoseconds delay);
  Error& set_id(std::string id);
  Error& set_phase(Phase phase);
  Error& set_node(std::string node);
  Error& set_attempts(int attempts);
  Error& set_earlier(std::string earlier);

  /// One line with everything that is known, for logs and people.
  std::string ToString() const;

  friend bool operator==(const Error& a, const Error& b);

 private:
  struct Fields;
  std::unique_ptr<Fields> fields_;
};

/// A value, or the Error that prevented it.
template <typename T>
using Result = std::expected<T, Error>;

/// Success, or an Error.
using Status = Result<void>;

/// What a function that returns a Result or a Status returns to fail.
using Failure = std::unexpected<Error>;

/// Success.
inline Status Ok() { return {}; }

/// Fails with `code`, or with a whole Error.
Failure Fails(Code code, std::string detail);
Failure Fails(Error error);

Failure Cancelled(std::string detail);
Failure Unknown(std::string detail);
Failure InvalidArgument(std::string detail);
Failure DeadlineExceeded(std::string detail);
Failure NotFound(std::string detail);
Failure AlreadyExists(std::string detail);
Failure PermissionDenied(std::string detail);
Failure ResourceExhausted(std::string detail);
Failure FailedPrecondition(std::string detail);
Failure Aborted(std::string detail);
Failure OutOfRange(std::string detail);
Failure Unimplemented(std::string detail);
Failure Internal(std::string detail);
Failure Unavailable(std::string detail);
Failure DataLoss(std::string detail);
Failure Unauthenticated(std::string detail);

/// Ends a program: says `error` in one line on stderr and returns the exit code to leave main with:
/// 2 for what was configured wrong, else 1. A `--help` is printed on stdout, with exit code 0.
int Fail(const Error& error);

}  // namespace micro
