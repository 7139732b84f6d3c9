#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>
#include <nghttp2/nghttp2.h>

#include "net/http2/pulse.h"
#include "net/http2/reset_streams.h"
#include "net/http2/stream.h"
#include "net/link.h"
#include "runtime/loop.h"

namespace micro::http2 {

enum class Role : std::uint8_t { kServer, kClient };

struct Settings {
  std::uint32_t max_streams = 1000;
  std::uint32_t stream_window = 256U << 10U;
  std::uint32_t connection_window = 4U << 20U;
  std::uint32_t max_header_list = 16U << 10U;
  transport::Lifetimes lifetimes = {};
};

/// A header field that nghttp2 copies.
nghttp2_nv Field(std::string_view name, std::string_view value);
/// A header field whose texts live for ever.
nghttp2_nv StaticField(std::string_view name, std::string_view value);

/// One HTTP/2 connection: nghttp2 over a link, on one event loop.
///
/// What a turn of the loop produces leaves in one write. The session keeps itself alive until the
/// connection is closed; the owner is told then, and never again.
class Session : public std::enable_shared_from_this<Session> {
 public:
  /// Who holds the session.
  class Owner {
   public:
    /// A server's new stream; null refuses it.
    virtual Stream* OnStream(Session& session) = 0;
    /// The connection is closed, for `reason`; every stream has been told. `malformed`: what came
    /// was no HTTP/2.
    virtual void OnSessionClosed(Session& session, std::string_view reason, bool malformed) = 0;

   protected:
    ~Owner() = default;
  };

  Session(runtime::Loop& loop, std::unique_ptr<net::Link> link, Role role, const Settings& settings,
          Owner& owner);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Begins, with bytes that were read already.
  void Start(std::string_view received = {});
  /// Asks for a sign of life.
  void Ping();
  /// Says GOAWAY, lets the streams there end, then closes.
  void Shutdown();
  /// Closes at once. The owner is not told if `tell` is false.
  void Close(std::string_view reason, bool tell = true);

  /// A request, with a body that may follow; false when the connection takes no more streams.
  bool SubmitRequest(Stream& stream, std::span<const nghttp2_nv> fields);
  void SubmitResponse(Stream& stream, std::span<const nghttp2_nv> fields, bool with_body);
  void SubmitTrailers(Stream& stream, std::span<const nghttp2_nv> fields);
  void Reset(Stream& stream, std::uint32_t error);
  /// `fresh` is told what further comes on the stream of `old`, which is forgotten.
  void Replace(Stream& old, Stream& fresh);
  void Resume(Stream& stream);
  /// The application has taken `bytes` of a stream's body: the sender may send as many more.
  void Consume(Stream& stream, std::size_t bytes);

  runtime::Loop& loop() { return loop_; }
  const std::string& peer() const { return link_->peer(); }
  bool secure() const { return link_->secure(); }
  bool closed() const { return closed_; }
  /// How many requests were submitted.
  std::uint32_t submitted() const;
  /// Streams there are.
  std::size_t open() const { return open_; }
  /// Whether requests may be submitted, as far as both sides have said.
  bool alive() const { return !closed_ && !goaway_received_ && !draining_; }
  /// Whether the other side takes one more stream now.
  bool has_room() const;

 private:
  friend struct Callbacks;

  void WaitReadable();
  void OnReadable();
  void EndTurn();
  bool Receive();
  bool Feed(std::span<const std::uint8_t> bytes);
  void SendAll();
  void Flush();
  void FlushSoon();
  bool Gather(std::string& out);
  bool GatherAhead();
  bool WriteOut(std::string& out);
  void WaitWritable();
  void Attach(Stream& stream, std::int32_t id);
  void Detach(Stream& stream, std::uint32_t error, std::string_view why);
  void EndFlood();
  void Linger();
  void DropInput();
  void OnPingAck(std::span<const std::uint8_t, 8> payload);
  void OnGoaway(const nghttp2_goaway& goaway);
  void OnGoawaySent(const nghttp2_goaway& goaway);
  void OnChatter();

  runtime::Loop& loop_;
  std::unique_ptr<net::Link> link_;
  Owner* owner_;
  Role role_;
  nghttp2_session* session_ = nullptr;
  boost::intrusive::list<Stream, boost::intrusive::constant_time_size<false>> streams_;
  Stream* latest_ = nullptr;  // the stream of the last frame
  std::int32_t newest_ = 0;   // the last that the other side opened
  ResetStreams resets_;
  std::size_t received_ = 0;  // bytes of DATA in this turn
  std::size_t open_ = 0;
  Pulse pulse_;
  int chatter_ = 0;  // frames in a row that carry nothing of a call
  TimePoint chatter_began_{};
  std::string pending_;         // what the socket did not take
  std::string farewell_;        // what the other side said in GOAWAY, if it was an error
  std::string refused_for_;     // why we have said GOAWAY, if for an error
  std::string* out_ = nullptr;  // where DATA goes during Gather
  bool in_turn_ = false;
  bool malformed_ = false;
  bool lingers_ = false;
  std::size_t dropped_ = 0;  // bytes that came after the end
  bool flush_posted_ = false;
  bool settings_received_ = false;
  bool goaway_received_ = false;
  bool goaway_sent_ = false;
  bool draining_ = false;
  bool closed_ = false;
};

}  // namespace micro::http2
