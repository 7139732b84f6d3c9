#include "net/tls_context.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <openssl/err.h>

#include "base/misconfigured.h"

namespace micro::net {
namespace {

using Side = TlsContext::Side;

// HTTP/2's list of those it takes with TLS 1.2 (RFC 9113 section 9.2.2), the good ones.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
// In the order in which a server prefers them.
constexpr std::string_view kProtocols = "\x02h2\x08http/1.1";

Status CheckReadable(const std::string& option, const std::string& path) {
  if (::access(path.c_str(), R_OK) == 0) return Ok();
  return Misconfigured(option + ": cannot read " + path + ": " + std::strerror(errno));
}

// A key that wants a passphrase is an error, not a question on the terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) { return -1; }

int SelectProtocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned int offered_size, void* /*user*/) {
  unsigned char* match = nullptr;
  const auto* ours = reinterpret_cast<const unsigned char*>(kProtocols.data());
  if (SSL_select_next_proto(&match, chosen_size, ours, kProtocols.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

SslCtxPtr NewContext(Side side) {
  SslCtxPtr context(SSL_CTX_new(side == Side::kServer ? TLS_server_method() : TLS_client_method()));
  SSL_CTX* raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, kCiphers);
  // Connections live long: resuming sessions saves little, and would outlive a change of the CA.
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(raw, 1);
  SSL_CTX_set_default_passwd_cb(raw, NoPassphrase);
  return context;
}

Status LoadCertificate(SSL_CTX* context, const transport::Tls& config) {
  if (config.cert.empty() && config.key.empty()) return Ok();
  if (config.key.empty()) return Misconfigured("--tls_cert needs its --tls_key");
  if (config.cert.empty()) return Misconfigured("--tls_key needs its --tls_cert");
  if (Status cert = CheckReadable("--tls_cert", config.cert); !cert) return cert;
  if (Status key = CheckReadable("--tls_key", config.key); !key) return key;
  if (SSL_CTX_use_certificate_chain_file(context, config.cert.c_str()) != 1) {
    return Misconfigured("--tls_cert: " + config.cert +
                         " holds no certificate that can be used: " + SslReason());
  }
  if (SSL_CTX_use_PrivateKey_file(context, config.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Misconfigured("--tls_key: " + config.key + " holds no key, without a passphrase, for " +
                         config.cert + ": " + SslReason());
  }
  return Ok();
}

Status LoadCa(SSL_CTX* context, const transport::Tls& config) {
  if (Status ca = CheckReadable("--tls_ca", config.ca); !ca) return ca;
  if (SSL_CTX_load_verify_file(context, config.ca.c_str()) == 1) return Ok();
  return Misconfigured("--tls_ca: " + config.ca +
                       " holds no certificate that can be used: " + SslReason());
}

Result<int> ClientAuth(const transport::Tls& config) {
  const std::string& auth = config.client_auth;
  if (auth.empty()) {
    return config.ca.empty() ? SSL_VERIFY_NONE : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  if (auth == "none") return SSL_VERIFY_NONE;
  if (auth != "require" && auth != "request") {
    return Misconfigured("--tls_client_auth: \"" + auth +
                         "\" is none of require, request and none");
  }
  if (config.ca.empty()) {
    return Misconfigured("--tls_client_auth=" + auth + " needs --tls_ca, to verify callers with");
  }
  return SSL_VERIFY_PEER | (auth == "require" ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
}

Status SetUpServer(SSL_CTX* context, const transport::Tls& config) {
  const auto auth = ClientAuth(config);
  if (!auth) return Failure(auth.error());
  SSL_CTX_set_verify(context, *auth, nullptr);
  SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
  if (*auth == SSL_VERIFY_NONE) return Ok();
  if (Status ca = LoadCa(context, config); !ca) return ca;
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(config.ca.c_str()));
  return Ok();
}

Status SetUpClient(SSL_CTX* context, const transport::Tls& config) {
  constexpr std::string_view kOffer = "\x02h2";
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(kOffer.data()),
                          kOffer.size());
  SSL_CTX_set_verify(context, config.skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  if (!config.ca.empty()) return LoadCa(context, config);
  SSL_CTX_set_default_verify_paths(context);
  return Ok();
}

Result<SslCtxPtr> Load(Side side, const transport::Tls& config) {
  ERR_clear_error();
  SslCtxPtr context = NewContext(side);
  if (Status loaded = LoadCertificate(context.get(), config); !loaded) {
    return Failure(loaded.error());
  }
  Status set_up = side == Side::kServer ? SetUpServer(context.get(), config)
                                        : SetUpClient(context.get(), config);
  if (!set_up) return Failure(set_up.error());
  return context;
}

}  // namespace

std::string SslReason() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(error)) return std::strerror(ERR_GET_REASON(error));
  const char* reason = ERR_reason_error_string(error);
  return reason == nullptr ? "unknown error" : reason;
}

TlsContext::TlsContext(Side side, transport::Tls config, Logger& logger, Duration look)
    : side_(side), config_(std::move(config)), logger_(logger), look_(look) {}

Result<std::shared_ptr<TlsContext>> TlsContext::Make(Side side, const transport::Tls& config,
                                                     Logger& logger, Duration look) {
  std::shared_ptr<TlsContext> made(new TlsContext(side, config, logger, look));
  made->marks_ = made->Marks();  // ahead of reading: a change in between is seen as one
  auto context = Load(side, config);
  if (!context) return Failure(context.error());
  made->context_ = *std::move(context);
  made->looked_ = std::chrono::steady_clock::now();
  return made;
}

std::vector<TlsContext::Mark> TlsContext::Marks() const {
  std::vector<Mark> marks;
  for (const std::string* path : {&config_.cert, &config_.key, &config_.ca}) {
    struct stat found{};
    Mark mark;
    if (!path->empty() && ::stat(path->c_str(), &found) == 0) {
      mark = {.seconds = found.st_mtim.tv_sec,
              .nanoseconds = found.st_mtim.tv_nsec,
              .size = found.st_size,
              .inode = found.st_ino};
    }
    marks.push_back(mark);
  }
  return marks;
}

void TlsContext::Refresh() {
  const TimePoint now = std::chrono::steady_clock::now();
  if (now - looked_ < look_) return;
  looked_ = now;
  std::vector<Mark> marks = Marks();
  if (marks == marks_) return;
  marks_ = std::move(marks);
  auto context = Load(side_, config_);
  if (!context) {
    logger_.Write(LogLevel::kError,
                  "TLS goes on with the certificates it has: " + context.error().detail());
    return;
  }
  context_ = *std::move(context);
  if (side_ == Side::kServer) logger_.Write(LogLevel::kInfo, "TLS certificates were read anew");
}

SslPtr TlsContext::NewEnd() {
  const std::lock_guard lock(mutex_);
  Refresh();
  return SslPtr(SSL_new(context_.get()));
}

}  // namespace micro::net
