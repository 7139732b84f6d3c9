#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <boost/intrusive/list.hpp>
#include <nghttp2/nghttp2.h>

namespace micro::http2 {

class Session;

/// Not an error code of HTTP/2's: the connection broke, or was closed.
inline constexpr std::uint32_t kConnectionLost = 0xffffffff;

/// One stream of a session: what arrives is told to the deriving class, what is to leave is put
/// into its body. Everything happens on the session's loop.
class Stream : public boost::intrusive::list_base_hook<
                   boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// One field of a header block; false refuses the stream.
  virtual bool OnHeader(std::string_view name, std::string_view value) = 0;
  /// A header block is complete.
  virtual void OnHeaders(bool end_of_stream) = 0;
  virtual void OnData(std::string_view bytes) = 0;
  /// The other side has half-closed.
  virtual void OnEnd() = 0;
  /// Our side's last frame has left.
  virtual void OnSent() {}
  /// All of the body that there was has left.
  virtual void OnDrained() {}
  /// The stream is over, with HTTP/2's error code or kConnectionLost; the session forgets it.
  virtual void OnClose(std::uint32_t error) = 0;
  /// The body is sent and more is to follow: submit it now.
  virtual void OnTrailersDue() {}

  std::int32_t id() const { return id_; }
  /// Null once the stream is over.
  Session* session() const { return session_; }

 protected:
  virtual ~Stream() = default;

  /// Appends to the body. Where nothing waits `bytes` is swapped in, not copied.
  void Send(std::string& bytes) {
    if (body_.empty()) {
      std::swap(body_, bytes);
    } else {
      body_ += bytes;
    }
    Resume();
  }
  /// The body ends here; with trailers, OnTrailersDue follows.
  void EndBody(bool with_trailers) {
    ended_ = true;
    trailers_ = with_trailers;
    Resume();
  }
  std::size_t unsent() const { return body_.size() - sent_; }
  /// Within OnClose: why the connection ended, or is about to; may be empty.
  std::string_view why() const { return why_; }
  bool body_ended() const { return ended_; }

  void ResetStream();

 private:
  friend class Session;
  friend struct Callbacks;
  void Resume();

  Session* session_ = nullptr;
  std::int32_t id_ = -1;
  bool deferred_ = false;
  bool ended_ = false;
  bool trailers_ = false;
  std::size_t sent_ = 0;
  std::size_t consumed_ = 0;  // taken by the application, not given back to the sender yet
  std::string body_;
  std::string_view why_;
};

}  // namespace micro::http2
