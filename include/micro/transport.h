#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "micro/compression.h"
#include "micro/duration.h"
#include "micro/error.h"
#include "micro/metadata.h"
#include "micro/runtime.h"
#include "micro/task.h"

namespace micro {

struct MethodInfo;

namespace transport {

/// What opens a call.
struct CallHead {
  std::string path;          ///< "/helloworld.Greeter/Hello"
  std::string content_type;  ///< "application/grpc+proto"; as it came, on the serving side
  std::string authority;
  Metadata metadata;
  std::optional<TimePoint> deadline;
  /// Whether it came as an HTTP GET: only methods without side effects may be called so.
  bool safe = false;
  /// How the caller's messages are compressed.
  Compression compression = Compression::kNone;

  void Clear();
};

/// Someone who waits for one event of a stream. Woken once, on the stream's loop; it may use and
/// release the stream from within.
class Waiter {
 public:
  virtual void Wake() = 0;

 protected:
  ~Waiter() = default;
};

enum class Read : std::uint8_t {
  kMessage,  ///< a whole message was there
  kEnd,      ///< no more will come
  kPending,  ///< nothing yet: wait
};

/// Bytes that every written message starts with; the transport fills them in.
inline constexpr std::size_t kHeadroom = 5;

/// A call on the wire, from either end: messages in, messages out. A unary call is a stream of one.
///
/// Lives on one event loop; all members are called on its thread.
class Stream {
 public:
  /// Takes the next message, by swapping it into `message`.
  virtual Read TryRead(std::string& message) = 0;
  /// Wakes `waiter` when TryRead would no longer say kPending.
  virtual void WaitReadable(Waiter& waiter) = 0;

  /// Sends a message: kHeadroom bytes for the transport, then the encoded message. What is left in
  /// `message` is of no meaning; its memory may be used again.
  virtual void Write(std::string& message) = 0;
  /// Whether more may be written now; if not, more would only pile up.
  virtual bool writable() const = 0;
  virtual void WaitWritable(Waiter& waiter) = 0;

  /// Whether what is written goes nowhere, as the call has ended. Whoever waits to write is woken
  /// then.
  virtual bool ended() const = 0;

  /// Ends the stream at once, both ways.
  virtual void Reset(Code reason) = 0;

  /// Gives the stream back. A stream that has not ended is reset.
  virtual void Release() = 0;

 protected:
  ~Stream() = default;
};

struct Releaser {
  void operator()(Stream* stream) const { stream->Release(); }
};

/// A call, seen from the side that serves it.
class ServerStream : public Stream {
 public:
  virtual EventLoop& loop() = 0;
  /// What opened it; the server may take from it.
  virtual CallHead& head() = 0;
  /// Who calls, "127.0.0.1:41897"; empty once the call is closed.
  virtual const std::string& peer() const = 0;

  /// Wakes `waiter` when the caller goes away before Finish: reset, or the connection lost.
  virtual void WaitClosed(Waiter& waiter) = 0;

  /// Sets what is sent ahead of the first message; before the first Write.
  virtual void SetMetadata(const Metadata& metadata) = 0;
  /// Compresses the messages, where the caller has said that it takes that; before the first Write.
  virtual void SetCompression(Compression compression) { (void)compression; }
  /// Ends the call with a status and trailers; whoever waits to read or write is woken.
  virtual void Finish(const Status& status, const Metadata& trailers) = 0;

 protected:
  ~ServerStream() = default;
};
using ServerStreamPtr = std::unique_ptr<ServerStream, Releaser>;

/// A call, seen from the side that makes it.
class ClientStream : public Stream {
 public:
  /// No more messages will be written.
  virtual void CloseSend() = 0;

  /// After kEnd: how it ended. An error that the other side sent has Phase::kRemote.
  virtual const Status& status() const = 0;
  /// After kEnd: whether the other side is known not to have begun with it.
  virtual bool unprocessed() const = 0;
  /// After the first message or kEnd.
  virtual Metadata& metadata() = 0;
  /// After the first message or kEnd: how the other side's messages are compressed.
  virtual Compression compression() const { return Compression::kNone; }
  /// After kEnd.
  virtual Metadata& trailers() = 0;

 protected:
  ~ClientStream() = default;
};
using ClientStreamPtr = std::unique_ptr<ClientStream, Releaser>;

/// A line to one node, over which calls are opened. Lives on one loop.
class Connection {
 public:
  virtual ~Connection() = default;
  /// Whether the line is up, and the other side takes calls.
  virtual bool alive() const = 0;
  /// Whether a call opened now would also begin now; others wait for one to end.
  virtual bool usable() const = 0;
  /// Opens a call; only when alive.
  virtual ClientStreamPtr Open(const CallHead& head) = 0;
};

/// A plain page for those who are no RPC callers: probes, scrapers, people.
struct Page {
  int status = 200;  ///< HTTP's
  std::string content_type;
  std::string body;
};

/// Who takes the calls that come in.
class Acceptor {
 public:
  /// Takes a call, on the loop it lives on.
  virtual void Accept(ServerStreamPtr stream) = 0;

  /// Told of what was malformed, and was answered or closed by the transport itself: `where` names
  /// the peer, and the path if there is one.
  virtual void OnRefused(const std::string& where, const std::string& why) = 0;

  /// The method that a call of `path` would reach; null where there is none. From any loop. Those
  /// who are no RPC callers are told by it what they may do.
  virtual const MethodInfo* FindMethod(std::string_view path) {
    (void)path;
    return nullptr;
  }

  /// What a GET of `path`, such as "/healthz", shows; nothing where there is no such page. From any
  /// loop.
  virtual std::optional<Page> Get(std::string_view path) {
    (void)path;
    return std::nullopt;
  }

 protected:
  ~Acceptor() = default;
};

/// An address that is listened on. Destroying it closes every connection.
class Listener {
 public:
  virtual ~Listener() = default;
  /// "host:port" as bound; the port is the real one.
  virtual std::string address() const = 0;
  /// Takes no more connections and no more calls, and lets those there end. From any thread but a
  /// loop's; returns when every connection has been told.
  virtual void Drain() = 0;
  /// Whether no connection is left. From any thread.
  virtual bool quiet() const = 0;
  /// How many connections are open; 0 where there are none to count. From any thread.
  virtual std::size_t connections() const { return 0; }
};

struct Limits {
  std::size_t max_message = 4U << 20U;    ///< bytes of one message that comes in
  std::size_t max_send = 0xffffffff;      ///< bytes of one message that goes out
  std::size_t max_metadata = 16U << 10U;  ///< bytes of the header list of one call
  std::size_t max_streams = 1000;         ///< calls that one connection may have open
  std::size_t max_connections = 100'000;  ///< that a listener has open
};

/// When connections are looked after. Zero: never.
struct Lifetimes {
  /// Silence on a connection with open calls, before the other side is asked for a sign of life.
  Duration keepalive_time = std::chrono::seconds(20);
  Duration keepalive_timeout = std::chrono::seconds(10);  ///< for that sign; then it is closed
  Duration max_age = {};  ///< after which a listener's connection takes no more calls
  Duration max_idle = std::chrono::minutes(30);  ///< the same, for one without any calls
};

/// TLS for both sides of a transport. The files are PEM, and are read again when they change.
struct Tls {
  std::string cert = {};  ///< our certificate and what stands between it and its CA
  std::string key = {};   ///< the certificate's key; both make a listener speak TLS
  /// Who may have signed the certificates of others; empty: the system's CAs, for those we dial.
  std::string ca = {};
  /// What callers show of themselves: "require", "request" (verified if shown) or "none"; empty:
  /// require where there is a `ca`, none otherwise.
  std::string client_auth = {};
  /// The name that the certificates of those we dial are for; empty: the host that is dialled.
  std::string server_name = {};
  bool dial = false;         ///< whether we dial with TLS; implied by `cert` and by `ca`
  bool skip_verify = false;  ///< takes any certificate of those we dial: safe from nobody
  Duration handshake_timeout = std::chrono::seconds(10);  ///< for those who dial us

  bool serves() const { return !cert.empty() || !key.empty(); }
  bool dials() const { return dial || skip_verify || !cert.empty() || !ca.empty(); }
};

}  // namespace transport

/// Moves calls between processes, or within one.
class Transport {
 public:
  virtual ~Transport() = default;

  /// The name it is chosen by, and that nodes carry in their metadata, such as "grpc".
  virtual std::string_view name() const = 0;

  /// Listens on "host:port" (no host: all interfaces; port 0: any). `acceptor` must outlive the
  /// listener. FAILED_PRECONDITION, with Phase::kConfigure, when the address cannot be had.
  virtual Result<std::unique_ptr<transport::Listener>> Listen(const std::string& address,
                                                              transport::Acceptor& acceptor) = 0;

  /// Connects to "host:port", on the loop it is awaited on, within `timeout`. UNAVAILABLE, with
  /// Phase::kConnect, when nobody answers there.
  virtual Task<Result<std::shared_ptr<transport::Connection>>> Dial(std::string address,
                                                                    Duration timeout) = 0;
};

/// What a transport is made from.
struct TransportConfig {
  Runtime* runtime = nullptr;
  transport::Limits limits = {};
  transport::Lifetimes lifetimes = {};
  transport::Tls tls = {};
  /// For a connection that comes in to say what it speaks, and for the head of an HTTP/1.1 request.
  Duration handshake_timeout = std::chrono::seconds(10);
  /// Origins whose pages browsers let call us; "*" for all.
  std::vector<std::string> cors_origins = {};
};

}  // namespace micro
