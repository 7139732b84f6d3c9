#include "net/tls.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace micro::net {
namespace {

// A TLS record that opens a handshake, and one that carries an alert (RFC 8446 section 5.1).
constexpr char kHandshakeRecord = 22;
constexpr char kAlertRecord = 21;
// How long one whose handshake failed has to read why.
constexpr std::chrono::seconds kLinger{1};

// The bytes of a literal address, without an interface; empty for a name.
std::vector<unsigned char> BytesOf(const std::string& host) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (error) return {};
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), bytes.end()};
}

// Whom to expect: an empty name would mean anybody.
std::string ExpectedName(const std::string& host, const transport::Tls& config) {
  if (!config.server_name.empty()) return config.server_name;
  return host.empty() ? "localhost" : host;
}

// What those hear who speak HTTP without TLS: in HTTP/2 empty SETTINGS and a GOAWAY of
// INADEQUATE_SECURITY (RFC 9113 sections 6.5 and 6.8), in HTTP/1.1 a page.
std::string_view AnswerTo(std::string_view opening) {
  using namespace std::string_view_literals;
  constexpr std::string_view kHttp2 =
      "\0\0\0\4\0\0\0\0\0"
      "\0\0\x1c\7\0\0\0\0\0\0\0\0\0\0\0\0\x0cthis port speaks TLS"sv;
  constexpr std::string_view kHttp1 =
      "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n"
      "content-length: 21\r\n\r\nthis port speaks TLS\n"sv;
  if (opening.starts_with("PRI")) return kHttp2;
  const bool http = !opening.empty() && opening[0] >= 'A' && opening[0] <= 'Z';
  return http ? kHttp1 : "";
}

}  // namespace

// OpenSSL's way to the socket. Its own would raise SIGPIPE.
struct TlsLink::Bio {
  static TlsLink& Self(BIO* bio) { return *static_cast<TlsLink*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* bytes, int size) {
    TlsLink& self = Self(bio);
    BIO_clear_retry_flags(bio);
    const auto span = std::span(reinterpret_cast<std::uint8_t*>(bytes), size);
    const ssize_t got = self.Link::Read(span);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    if (got > 0 && self.opening_.empty()) self.opening_.assign(bytes, std::min<ssize_t>(got, 3));
    self.ended_ = got == 0;
    return static_cast<int>(got);
  }

  static int Write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    const ssize_t sent = Self(bio).Link::Write({bytes, static_cast<std::size_t>(size)});
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
  }

  static long Control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    if (command == BIO_CTRL_EOF) return Self(bio).ended_ ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static BIO_METHOD* Make() {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "micro link");
    BIO_meth_set_read(method, Read);
    BIO_meth_set_write(method, Write);
    BIO_meth_set_ctrl(method, Control);
    return method;
  }

  static BIO* New(TlsLink& self) {
    static BIO_METHOD* const method = Make();
    BIO* bio = BIO_new(method);
    BIO_set_data(bio, &self);
    BIO_set_init(bio, 1);
    return bio;
  }
};

TlsLink::TlsLink(Link&& plain, TlsContext& context, const std::string& host)
    : Link(std::move(plain)),
      ssl_(context.NewEnd()),
      server_(context.side() == TlsContext::Side::kServer),
      host_(ExpectedName(host, context.config())) {
  BIO* bio = Bio::New(*this);
  SSL_set_bio(ssl_.get(), bio, bio);
  if (server_) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    broken_ = !Expect();
  }
}

TlsLink::~TlsLink() = default;

// False when OpenSSL would not check the name, and so take any.
bool TlsLink::Expect() {
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl_.get());
  const auto bytes = BytesOf(host_);
  if (!bytes.empty()) return X509_VERIFY_PARAM_set1_ip(rules, bytes.data(), bytes.size()) == 1;
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set_tlsext_host_name(ssl_.get(), host_.c_str());
  return X509_VERIFY_PARAM_set1_host(rules, host_.data(), host_.size()) == 1;
}

// What OpenSSL waits for, after a call that did not succeed; remembers what is wrong if it is more
// than waiting.
int TlsLink::Judge(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return error;
  if (error == SSL_ERROR_ZERO_RETURN) return error;
  broken_ = true;
  if (error == SSL_ERROR_SSL) trouble_ = "TLS: " + Complaint();
  if (error == SSL_ERROR_SYSCALL && !ended_) trouble_ = std::strerror(errno);
  return error;
}

std::string TlsLink::Complaint() const {
  if (!opening_.empty() && opening_[0] != kHandshakeRecord && opening_[0] != kAlertRecord) {
    return server_ ? "what came is no TLS, which this port demands"
                   : "what came is no TLS; does it serve without TLS?";
  }
  const unsigned long error = ERR_peek_last_error();
  const long verified = SSL_get_verify_result(ssl_.get());
  if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
    ERR_clear_error();
    const std::string why = X509_verify_cert_error_string(verified);
    if (server_) return "the caller's certificate is not accepted: " + why;
    return "the certificate is not accepted for \"" + host_ + "\": " + why;
  }
  return SslReason();
}

TlsLink::Step TlsLink::Shake() {
  if (broken_) return Step::kFailed;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    more_ = SSL_has_pending(ssl_.get()) != 0;  // what was read ahead
    return Step::kDone;
  }
  switch (Judge(result)) {
    case SSL_ERROR_WANT_READ:
      return Step::kRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::kWrite;
    default:
      broken_ = true;
      return Step::kFailed;
  }
}

ssize_t TlsLink::Read(std::span<std::uint8_t> bytes) {
  if (broken_) return Broken();
  ERR_clear_error();
  std::size_t filled = 0;
  more_ = false;
  while (filled < bytes.size()) {
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), bytes.data() + filled, bytes.size() - filled, &size);
    if (result != 1) {
      const ssize_t stopped = Stopped(result);
      if (filled == 0) return stopped;
      more_ = stopped == 0 || errno != EAGAIN;  // the next read says what is wrong
      return static_cast<ssize_t>(filled);
    }
    filled += size;
  }
  more_ = true;
  return static_cast<ssize_t>(filled);
}

ssize_t TlsLink::Write(std::string_view bytes) {
  if (broken_) return Broken();
  ERR_clear_error();
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    std::size_t size = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data() + taken, bytes.size() - taken, &size);
    if (result != 1) {
      const ssize_t stopped = Stopped(result);
      return taken == 0 ? stopped : static_cast<ssize_t>(taken);
    }
    taken += size;
  }
  return static_cast<ssize_t>(taken);
}

// Why OpenSSL did not go on, as recv and send would say it.
ssize_t TlsLink::Stopped(int result) {
  switch (Judge(result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      return Broken();
  }
}

ssize_t TlsLink::Broken() const {
  if (ended_ && trouble_.empty()) return 0;
  errno = EPROTO;
  return -1;
}

std::string_view TlsLink::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsLink::Why() const {
  if (!trouble_.empty()) return trouble_;
  return ended_ ? "the other side closed the connection" : Link::Why();
}

void TlsLink::Close() {
  SayGoodbye();
  Link::Close();
}

void TlsLink::CloseWrite() {
  SayGoodbye();
  Link::CloseWrite();
}

void TlsLink::SayGoodbye() {
  if (broken_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

void TlsLink::TurnAway() {
  if (server_) Link::Write(AnswerTo(opening_));
  Link::CloseWrite();
}

namespace {

// One handshake under way: it lives in what waits for its socket.
class Handshake final : public runtime::Timer, public std::enable_shared_from_this<Handshake> {
 public:
  using Done = std::move_only_function<void(Result<std::unique_ptr<Link>>)>;

  Handshake(runtime::Loop& loop, std::unique_ptr<TlsLink> link, Done done)
      : loop_(loop), link_(std::move(link)), done_(std::move(done)) {}

  void Start(Duration timeout) {
    loop_.Add(*this, std::chrono::steady_clock::now() + timeout);
    Go();
  }

  void Fire() override {
    const auto self = shared_from_this();
    link_->Close();
    Fail("TLS: the handshake took too long");
  }

 private:
  void Go() {
    const auto again = [self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->done_) self->Go();
    };
    switch (link_->Shake()) {
      case TlsLink::Step::kRead:
        return link_->WaitReadable(again);
      case TlsLink::Step::kWrite:
        return link_->WaitWritable(again);
      case TlsLink::Step::kFailed:
        link_->TurnAway();
        loop_.Add(*this, std::chrono::steady_clock::now() + kLinger);
        Linger();
        return Fail(link_->heard() ? link_->Why() : "");
      case TlsLink::Step::kDone:
        Cancel();
        return std::exchange(done_, nullptr)(std::move(link_));
    }
  }

  void Fail(std::string why) {
    if (auto done = std::exchange(done_, nullptr)) done(Unavailable(std::move(why)));
  }

  // Closing with bytes unread would take back the alert that says what was wrong.
  void Linger() {
    link_->WaitReadable([self = shared_from_this()](const boost::system::error_code& error) {
      if (error) return;
      std::array<std::uint8_t, 1024> ignored{};
      const ssize_t size = self->link_->ReadRaw(ignored);
      if (size > 0 || (size < 0 && errno == EAGAIN)) return self->Linger();
      self->Cancel();
      self->link_->Close();
    });
  }

  runtime::Loop& loop_;
  std::unique_ptr<TlsLink> link_;
  Done done_;
};

}  // namespace

void Secure(runtime::Loop& loop, std::unique_ptr<Link> plain, TlsContext& context,
            const std::string& host, Duration timeout,
            std::move_only_function<void(Result<std::unique_ptr<Link>>)> done) {
  auto link = std::make_unique<TlsLink>(std::move(*plain), context, host);
  std::make_shared<Handshake>(loop, std::move(link), std::move(done))->Start(timeout);
}

}  // namespace micro::net
