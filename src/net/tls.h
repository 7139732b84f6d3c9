#pragma once

#include <functional>
#include <memory>
#include <string>

#include "micro/duration.h"
#include "micro/error.h"

#include "net/link.h"
#include "net/tls_context.h"
#include "runtime/loop.h"

namespace micro::net {

/// A link whose bytes travel in TLS records.
class TlsLink final : public Link {
 public:
  /// What a step of the handshake came to.
  enum class Step : std::uint8_t { kDone, kRead, kWrite, kFailed };

  /// Goes on where `plain` was. A client expects a certificate for `host`, unless the context says
  /// otherwise.
  TlsLink(Link&& plain, TlsContext& context, const std::string& host);
  ~TlsLink() override;

  /// As far as the handshake gets without waiting: for bytes to read, or room to write. Before
  /// Read and Write.
  Step Shake();
  /// Whether anything has come at all.
  bool heard() const { return !opening_.empty(); }

  ssize_t Read(std::span<std::uint8_t> bytes) override;
  ssize_t Write(std::string_view bytes) override;
  bool more() const override { return more_; }
  bool secure() const override { return true; }
  /// Also why Shake has failed.
  std::string Why() const override;
  void Close() override;

  void CloseWrite() override;
  /// After a handshake that failed: says so to those who speak HTTP without TLS, and writes no
  /// more.
  void TurnAway();
  /// What ALPN came to, such as "h2"; empty: not offered, or nothing in common.
  std::string_view protocol() const;

  /// Reads past TLS, to be thrown away.
  ssize_t ReadRaw(std::span<std::uint8_t> bytes) { return Link::Read(bytes); }

 private:
  struct Bio;

  bool Expect();
  void SayGoodbye();
  int Judge(int result);
  ssize_t Stopped(int result);
  ssize_t Broken() const;
  std::string Complaint() const;

  SslPtr ssl_;
  const bool server_;
  const std::string host_;
  std::string opening_;  // the first few bytes that came
  bool ended_ = false;   // the socket is at its end
  bool more_ = false;
  bool broken_ = false;
  std::string trouble_;
};

/// Puts TLS around `plain` on its loop, and calls `done` there, once: with the link, or with an
/// error, UNAVAILABLE in one sentence, when the handshake fails or takes longer than `timeout`. The
/// error's detail is empty when the other side left without a word.
void Secure(runtime::Loop& loop, std::unique_ptr<Link> plain, TlsContext& context,
            const std::string& host, Duration timeout,
            std::move_only_function<void(Result<std::unique_ptr<Link>>)> done);

}  // namespace micro::net
