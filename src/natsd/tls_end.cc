#include "natsd/tls_end.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace micro::natsd {
namespace {

// OpenSSL's own way to a socket would raise SIGPIPE.
int SocketRead(BIO* bio, char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const int descriptor = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  const ssize_t got = ::recv(descriptor, bytes, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

int SocketWrite(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const int descriptor = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  const ssize_t sent = ::send(descriptor, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

long SocketControl(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* MakeMethod() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "natsd socket");
  BIO_meth_set_read(method, SocketRead);
  BIO_meth_set_write(method, SocketWrite);
  BIO_meth_set_ctrl(method, SocketControl);
  return method;
}

BIO* NewBio(int descriptor) {
  static BIO_METHOD* const method = MakeMethod();
  BIO* bio = BIO_new(method);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a pointer is all that OpenSSL keeps for us
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
  BIO_set_init(bio, 1);
  return bio;
}

bool IsAddress(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// False when OpenSSL would not check the name, and so take any.
bool Expect(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl);
  if (IsAddress(host)) return X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set_tlsext_host_name(ssl, host.c_str());
  return !host.empty() && X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1;
}

}  // namespace

TlsEnd::TlsEnd(net::TlsContext& context, int descriptor, const std::string& host)
    : ssl_(context.NewEnd()), descriptor_(descriptor) {
  BIO* bio = NewBio(descriptor_);
  SSL_set_bio(ssl_.get(), bio, bio);
  if (context.side() == net::TlsContext::Side::kServer) {
    SSL_set_accept_state(ssl_.get());
    return;
  }
  SSL_set_connect_state(ssl_.get());
  broken_ = !Expect(ssl_.get(), host);
}

TlsEnd::Step TlsEnd::Shake() {
  if (broken_) return Step::kFailed;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return Step::kDone;
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return Step::kRead;
  if (error == SSL_ERROR_WANT_WRITE) return Step::kWrite;
  Judge(result);
  return Step::kFailed;
}

// Why OpenSSL did not go on, as recv and send would say it.
ssize_t TlsEnd::Judge(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    errno = EAGAIN;
    return -1;
  }
  broken_ = true;
  why_ = error == SSL_ERROR_SSL ? net::SslReason() : "the other side closed the connection";
  if (error == SSL_ERROR_SYSCALL) return 0;
  errno = EPROTO;
  return -1;
}

ssize_t TlsEnd::Read(char* bytes, std::size_t size) {
  if (broken_) return 0;
  ERR_clear_error();
  std::size_t filled = 0;
  while (filled < size) {
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), bytes + filled, size - filled, &got);
    if (result != 1) return filled > 0 ? static_cast<ssize_t>(filled) : Judge(result);
    filled += got;
  }
  return static_cast<ssize_t>(filled);
}

ssize_t TlsEnd::Write(std::string_view bytes) {
  if (broken_) {
    errno = EPROTO;
    return -1;
  }
  ERR_clear_error();
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    std::size_t size = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data() + taken, bytes.size() - taken, &size);
    if (result != 1) return taken > 0 ? static_cast<ssize_t>(taken) : Judge(result);
    taken += size;
  }
  return static_cast<ssize_t>(taken);
}

void TlsEnd::Goodbye() {
  if (broken_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

}  // namespace micro::natsd
