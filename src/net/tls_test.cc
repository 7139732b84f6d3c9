#include "net/tls.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <fstream>
#include <optional>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include "micro/runtime.h"

#include "net/testing/certificates.h"

namespace micro::net {
namespace {

using namespace std::chrono_literals;
using Side = TlsContext::Side;
using testing::Ca;
using testing::Folder;

class Lines final : public Logger {
 public:
  bool Enabled(LogLevel /*level*/) const override { return true; }
  void Write(LogLevel level, std::string_view message) override {
    lines.emplace_back(level, message);
  }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

// What a set of options comes to, at the start.
class TlsContextTest : public ::testing::Test {
 protected:
  TlsContextTest() {
    ca_.Write(folder_ / "ca.pem");
    ca_.Issue(folder_ / "cert.pem", folder_ / "key.pem", "DNS:localhost,IP:127.0.0.1");
  }

  transport::Tls Ours() const {
    return {.cert = folder_ / "cert.pem", .key = folder_ / "key.pem", .ca = folder_ / "ca.pem"};
  }
  Result<std::shared_ptr<TlsContext>> Make(Side side, const transport::Tls& config) {
    return TlsContext::Make(side, config, log_, Duration::zero());
  }
  std::string Complaint(const transport::Tls& config, Side side = Side::kServer) {
    const auto made = Make(side, config);
    if (made) return "accepted";
    EXPECT_EQ(made.error().phase(), Phase::kConfigure);
    EXPECT_EQ(made.error().detail().find('\n'), std::string::npos);
    return made.error().detail();
  }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  Folder folder_;
  Ca ca_;
  Lines log_;
};

TEST_F(TlsContextTest, GoodFilesAreTakenOnBothSides) {
  EXPECT_EQ(Complaint(Ours(), Side::kServer), "accepted");
  EXPECT_EQ(Complaint(Ours(), Side::kClient), "accepted");
  EXPECT_EQ(Complaint({}, Side::kClient), "accepted");
}

TEST_F(TlsContextTest, WhatCannotBeUsedNamesItsOption) {
  transport::Tls config = Ours();
  config.key = "";
  EXPECT_EQ(Complaint(config), "--tls_cert needs its --tls_key");
  config = Ours();
  config.cert = "";
  EXPECT_EQ(Complaint(config), "--tls_key needs its --tls_cert");
  config = Ours();
  config.cert = folder_ / "none";
  EXPECT_EQ(Complaint(config),
            "--tls_cert: cannot read " + config.cert + ": No such file or directory");
  config.cert = Write("nonsense", "nonsense");
  EXPECT_TRUE(Complaint(config).starts_with("--tls_cert: " + config.cert)) << Complaint(config);
  config = Ours();
  config.ca = folder_ / "none";
  EXPECT_EQ(Complaint(config),
            "--tls_ca: cannot read " + config.ca + ": No such file or directory");
  config.ca = Write("nonsense", "nonsense");
  EXPECT_TRUE(Complaint(config).starts_with("--tls_ca: " + config.ca)) << Complaint(config);
}

TEST_F(TlsContextTest, AKeyOfAnotherCertificateIsRefused) {
  ca_.Issue(folder_ / "other.pem", folder_ / "other.key", "DNS:localhost");
  transport::Tls config = Ours();
  config.key = folder_ / "other.key";
  EXPECT_NE(Complaint(config).find("key values mismatch"), std::string::npos) << Complaint(config);
}

TEST_F(TlsContextTest, AKeyWithAPassphraseIsRefusedAndAsksNobody) {
  Ca::WriteLockedKey(folder_ / "locked.key");
  transport::Tls config = Ours();
  config.key = folder_ / "locked.key";
  EXPECT_TRUE(Complaint(config).starts_with("--tls_key: " + config.key)) << Complaint(config);
}

TEST_F(TlsContextTest, ClientAuthIsOneOfThreeWordsAndNeedsACa) {
  transport::Tls config = Ours();
  for (const std::string word : {"", "none", "request", "require"}) {
    config.client_auth = word;
    EXPECT_EQ(Complaint(config), "accepted") << word;
  }
  config.client_auth = "perhaps";
  EXPECT_EQ(Complaint(config),
            "--tls_client_auth: \"perhaps\" is none of require, request and none");
  config.client_auth = "require";
  config.ca = "";
  EXPECT_EQ(Complaint(config), "--tls_client_auth=require needs --tls_ca, to verify callers with");
}

TEST_F(TlsContextTest, ABrokenNewFileIsLoggedOnceAndTheOldOneStays) {
  const auto context = Make(Side::kServer, Ours());
  ASSERT_TRUE(context);
  Write("cert.pem", "nonsense");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE((*context)->NewEnd());
  ASSERT_EQ(log_.lines.size(), 1U);
  EXPECT_EQ(log_.lines[0].first, LogLevel::kError);
  EXPECT_NE(log_.lines[0].second.find("--tls_cert"), std::string::npos);
  ca_.Issue(folder_ / "cert.pem", folder_ / "key.pem", "DNS:localhost");
  EXPECT_TRUE((*context)->NewEnd());
  ASSERT_EQ(log_.lines.size(), 2U);
  EXPECT_EQ(log_.lines[1].first, LogLevel::kInfo);
}

// Both ends of one connection, on one loop.
class TlsTest : public TlsContextTest {
 protected:
  void SetUp() override { Pair(); }

  void Pair() {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    runtime::Loop& loop = runtime::Loop::Of(runtime_.loop(0));
    here_ = std::make_unique<Link>(Socket(loop.io(), {AF_UNIX, 0}, ends[0]));
    there_ = std::make_unique<Link>(Socket(loop.io(), {AF_UNIX, 0}, ends[1]));
  }

  using Linked = Result<std::unique_ptr<Link>>;

  // Runs `act` on the loop and waits for it.
  template <typename Act>
  void OnLoop(Act act) {
    internal::Parker done;
    runtime_.loop(0).Post([&] {
      act(runtime::Loop::Of(runtime_.loop(0)));
      done.Signal();
    });
    done.Wait();
  }

  // One side's handshake; its outcome arrives later.
  struct Outcome {
    std::optional<Linked> link;
    internal::Parker done;
    Linked& Wait() { return done.Wait(), *link; }
    std::string Why() { return Wait() ? "" : link->error().detail(); }
  };
  void Begin(std::unique_ptr<Link>& plain, const std::shared_ptr<TlsContext>& context,
             const std::string& host, Outcome& outcome, Duration timeout = 30s) {
    OnLoop([&](runtime::Loop& loop) {
      Secure(loop, std::move(plain), *context, host, timeout, [&outcome](Linked link) {
        outcome.link = std::move(link);
        outcome.done.Signal();
      });
    });
  }

  // Both handshakes, to their ends.
  void Shake(const transport::Tls& server, const transport::Tls& client,
             const std::string& host = "localhost") {
    server_context_ = Make(Side::kServer, server).value();
    client_context_ = Make(Side::kClient, client).value();
    Begin(there_, server_context_, "", server_);
    Begin(here_, client_context_, host, client_);
    client_.Wait();
    server_.Wait();
  }

  // Reads on the loop until something is there.
  static ssize_t ReadSome(Link& link, std::span<std::uint8_t> bytes) {
    ssize_t size = -1;
    while ((size = link.Read(bytes)) < 0 && errno == EAGAIN) {
    }
    return size;
  }

  transport::Tls TrustsOurs() const { return {.ca = folder_ / "ca.pem"}; }
  transport::Tls WithoutCa() const {
    return {.cert = folder_ / "cert.pem", .key = folder_ / "key.pem"};
  }

  Runtime runtime_{{.loops = 1}};
  std::shared_ptr<TlsContext> server_context_;
  std::shared_ptr<TlsContext> client_context_;
  std::unique_ptr<Link> here_;
  std::unique_ptr<Link> there_;
  Outcome server_;
  Outcome client_;
};

TEST_F(TlsTest, BytesTravelBothWays) {
  Shake(WithoutCa(), TrustsOurs());
  ASSERT_EQ(client_.Why(), "");
  ASSERT_EQ(server_.Why(), "");
  OnLoop([&](runtime::Loop&) {
    std::array<std::uint8_t, 16> buffer{};
    EXPECT_TRUE((**client_.link)->secure());
    EXPECT_EQ((**client_.link)->Write("ping"), 4);
    ASSERT_EQ(ReadSome(***server_.link, buffer), 4);
    EXPECT_EQ(std::string(buffer.begin(), buffer.begin() + 4), "ping");
    EXPECT_EQ((**server_.link)->Write("pong"), 4);
    ASSERT_EQ(ReadSome(***client_.link, buffer), 4);
  });
}

TEST_F(TlsTest, WhatTheBufferDidNotHoldIsToldByMore) {
  Shake(WithoutCa(), TrustsOurs());
  ASSERT_EQ(client_.Why(), "");
  OnLoop([&](runtime::Loop&) {
    Link& reader = ***server_.link;
    for (int i = 0; i < 100; ++i) ASSERT_EQ((**client_.link)->Write("0123456789"), 10);
    std::array<std::uint8_t, 64> buffer{};
    std::size_t got = 0;
    while (got < 1000) {
      const ssize_t size = ReadSome(reader, buffer);
      ASSERT_GT(size, 0);
      got += static_cast<std::size_t>(size);
      if (got < 1000) {
        EXPECT_TRUE(reader.more()) << got;
      }
    }
    EXPECT_EQ(reader.Read(buffer), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_FALSE(reader.more());
  });
}

TEST_F(TlsTest, AFullSocketTakesWhatItCanAndGoesOnLater) {
  Shake(WithoutCa(), TrustsOurs());
  ASSERT_EQ(client_.Why(), "");
  OnLoop([&](runtime::Loop&) {
    std::string bytes(4U << 20U, 'x');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 3U);
    std::string got;
    std::vector<std::uint8_t> buffer(1000);
    std::string_view left = bytes;
    bool was_full = false;
    while (got.size() < bytes.size()) {
      const std::string copy(left);  // a retry may come from elsewhere
      const ssize_t sent = copy.empty() ? 0 : (**client_.link)->Write(copy);
      was_full = was_full || (sent < 0 && errno == EAGAIN);
      if (sent > 0) left.remove_prefix(static_cast<std::size_t>(sent));
      ssize_t size = 0;
      while ((size = (**server_.link)->Read(buffer)) > 0) {
        got.append(buffer.begin(), buffer.begin() + size);
        if (got.size() % 7 == 0) break;
      }
    }
    EXPECT_TRUE(was_full);
    EXPECT_EQ(got, bytes);
  });
}

TEST_F(TlsTest, TheEndIsReadAsTheEnd) {
  Shake(WithoutCa(), TrustsOurs());
  ASSERT_EQ(client_.Why(), "");
  OnLoop([&](runtime::Loop&) {
    EXPECT_EQ((**client_.link)->Write("last"), 4);
    (**client_.link)->Close();
    std::array<std::uint8_t, 16> buffer{};
    EXPECT_EQ(ReadSome(***server_.link, buffer), 4);
    EXPECT_EQ(ReadSome(***server_.link, buffer), 0);
    EXPECT_EQ(ReadSome(***server_.link, buffer), 0);
  });
}

TEST_F(TlsTest, WhatFollowsTheHandshakeAtOnceIsNotForgotten) {
  server_context_ = Make(Side::kServer, WithoutCa()).value();
  client_context_ = Make(Side::kClient, TrustsOurs()).value();
  OnLoop([&](runtime::Loop& loop) {
    Secure(loop, std::move(here_), *client_context_, "localhost", 30s, [&](Linked link) {
      ASSERT_TRUE(link);
      EXPECT_EQ((*link)->Write("early"), 5);
      client_.link = std::move(link);
    });
    Secure(loop, std::move(there_), *server_context_, "", 30s, [&](Linked link) {
      ASSERT_TRUE(link);
      server_.link = std::move(link);
      (**server_.link)->WaitReadable([&](const boost::system::error_code& error) {
        EXPECT_FALSE(error);
        server_.done.Signal();
      });
    });
  });
  server_.Wait();
  OnLoop([&](runtime::Loop&) {
    std::array<std::uint8_t, 16> buffer{};
    EXPECT_EQ(ReadSome(***server_.link, buffer), 5);
  });
}

TEST_F(TlsTest, TheNameIsVerified) {
  Shake(WithoutCa(), TrustsOurs(), "example.org");
  EXPECT_EQ(client_.Why(),
            "TLS: the certificate is not accepted for \"example.org\": hostname mismatch");
  EXPECT_NE(server_.Why(), "");
}

TEST_F(TlsTest, AnAddressIsVerified) {
  Shake(WithoutCa(), TrustsOurs(), "127.0.0.1");
  EXPECT_EQ(client_.Why(), "");
}

TEST_F(TlsTest, AnotherAddressIsRefused) {
  Shake(WithoutCa(), TrustsOurs(), "127.0.0.2");
  EXPECT_NE(client_.Why().find("IP address mismatch"), std::string::npos) << client_.Why();
}

TEST_F(TlsTest, AnExpectedNameReplacesTheHost) {
  transport::Tls client = TrustsOurs();
  client.server_name = "localhost";
  Shake(WithoutCa(), client, "127.0.0.2");
  EXPECT_EQ(client_.Why(), "");
}

TEST_F(TlsTest, AStrangersCertificateIsRefused) {
  Ca("Another CA").Write(folder_ / "another.pem");
  Shake(WithoutCa(), {.ca = folder_ / "another.pem"});
  EXPECT_NE(client_.Why().find("the certificate is not accepted"), std::string::npos)
      << client_.Why();
  EXPECT_NE(server_.Why().find("unknown ca"), std::string::npos) << server_.Why();
}

TEST_F(TlsTest, WithoutACaTheSystemsAreAsked) {
  Shake(WithoutCa(), {.dial = true});
  EXPECT_NE(client_.Why().find("the certificate is not accepted"), std::string::npos)
      << client_.Why();
}

TEST_F(TlsTest, AnExpiredCertificateIsRefused) {
  ca_.Issue(folder_ / "cert.pem", folder_ / "key.pem", "DNS:localhost", "test", false);
  Shake(WithoutCa(), TrustsOurs());
  EXPECT_NE(client_.Why().find("certificate has expired"), std::string::npos) << client_.Why();
}

TEST_F(TlsTest, SkippingVerificationTakesAny) {
  Shake(WithoutCa(), {.skip_verify = true}, "example.org");
  EXPECT_EQ(client_.Why(), "");
}

TEST_F(TlsTest, WithACaCallersMustShowACertificate) {
  Shake(Ours(), TrustsOurs());
  EXPECT_NE(server_.Why().find("peer did not return a certificate"), std::string::npos)
      << server_.Why();
}

TEST_F(TlsTest, ACallersGoodCertificateIsTaken) {
  Shake(Ours(), Ours());
  EXPECT_EQ(server_.Why(), "");
  EXPECT_EQ(client_.Why(), "");
}

TEST_F(TlsTest, ACallersCertificateByAStrangerIsRefused) {
  Ca("Another CA").Issue(folder_ / "strange.pem", folder_ / "strange.key", "DNS:localhost");
  transport::Tls client = TrustsOurs();
  client.cert = folder_ / "strange.pem";
  client.key = folder_ / "strange.key";
  Shake(Ours(), client);
  EXPECT_NE(server_.Why().find("the caller's certificate is not accepted"), std::string::npos)
      << server_.Why();
}

TEST_F(TlsTest, ARequestedCertificateMayBeMissing) {
  transport::Tls server = Ours();
  server.client_auth = "request";
  Shake(server, TrustsOurs());
  EXPECT_EQ(server_.Why(), "");
}

TEST_F(TlsTest, WithoutClientAuthTheCaIsForDiallingOnly) {
  transport::Tls server = Ours();
  server.client_auth = "none";
  Shake(server, TrustsOurs());
  EXPECT_EQ(server_.Why(), "");
}

TEST_F(TlsTest, ANewCertificateIsShownToThoseWhoComeAfterIt) {
  Shake(WithoutCa(), TrustsOurs());
  ASSERT_EQ(client_.Why(), "");
  ca_.Issue(folder_ / "cert.pem", folder_ / "key.pem", "DNS:renewed");
  Pair();
  Outcome server;
  Outcome client;
  Begin(there_, server_context_, "", server);
  Begin(here_, client_context_, "renewed", client);
  EXPECT_EQ(client.Why(), "");
  server.Wait();
  OnLoop([&](runtime::Loop&) {  // those who were there before go on
    std::array<std::uint8_t, 16> buffer{};
    EXPECT_EQ((**client_.link)->Write("ping"), 4);
    EXPECT_EQ(ReadSome(***server_.link, buffer), 4);
  });
}

TEST_F(TlsTest, PlainBytesToATlsServerAreCalledSo) {
  server_context_ = Make(Side::kServer, WithoutCa()).value();
  Begin(there_, server_context_, "", server_);
  OnLoop([&](runtime::Loop&) { here_->Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); });
  EXPECT_EQ(server_.Why(), "TLS: what came is no TLS, which this port demands");
  OnLoop([&](runtime::Loop&) {
    std::array<std::uint8_t, 100> buffer{};
    const ssize_t size = ReadSome(*here_, buffer);
    ASSERT_EQ(size, 9 + 9 + 28);
    EXPECT_EQ(std::string(buffer.begin() + 26, buffer.begin() + size), "this port speaks TLS");
  });
}

TEST_F(TlsTest, PlainHttp1IsAnsweredInItsOwnWords) {
  server_context_ = Make(Side::kServer, WithoutCa()).value();
  Begin(there_, server_context_, "", server_);
  OnLoop([&](runtime::Loop&) { here_->Write("GET / HTTP/1.1\r\n\r\n"); });
  EXPECT_NE(server_.Why(), "");
  OnLoop([&](runtime::Loop&) {
    std::array<std::uint8_t, 200> buffer{};
    const ssize_t size = ReadSome(*here_, buffer);
    ASSERT_GT(size, 0);
    EXPECT_TRUE(std::string(buffer.begin(), buffer.begin() + size).starts_with("HTTP/1.1 400 "));
  });
}

// One end as somebody else's program, on a thread of its own.
class RawEnd {
 public:
  RawEnd(Socket socket, bool server, const transport::Tls& files, const std::string& alpn)
      : socket_(std::move(socket)), context_(SSL_CTX_new(TLS_method())) {
    if (!files.cert.empty()) {
      SSL_CTX_use_certificate_chain_file(context_.get(), files.cert.c_str());
      SSL_CTX_use_PrivateKey_file(context_.get(), files.key.c_str(), SSL_FILETYPE_PEM);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                        static_cast<unsigned>(alpn.size()));
    SSL_set_fd(ssl_.get(), socket_.native_handle());
    thread_ =
        std::thread([this, server] { server ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get()); });
  }
  RawEnd(const RawEnd&) = delete;
  RawEnd& operator=(const RawEnd&) = delete;
  ~RawEnd() { thread_.join(); }

 private:
  Socket socket_;
  SslCtxPtr context_;
  SslPtr ssl_;
  std::thread thread_;
};

class AlpnTest : public TlsTest {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    boost::asio::io_context& io = runtime::Loop::Of(runtime_.loop(0)).io();
    here_ = std::make_unique<Link>(Socket(io, {AF_UNIX, 0}, ends[0]));
    theirs_.emplace(io, Socket::protocol_type(AF_UNIX, 0), ends[1]);
  }

  // What our server agrees on with a client that offers `offer`; "failed" if they do not.
  std::string AsServer(const std::string& offer) {
    server_context_ = Make(Side::kServer, WithoutCa()).value();
    const RawEnd client(*std::move(theirs_), false, {}, offer);
    Begin(here_, server_context_, "", server_);
    if (!server_.Wait()) return "failed";
    return std::string(static_cast<TlsLink&>(***server_.link).protocol());
  }

  std::optional<Socket> theirs_;
};

TEST_F(AlpnTest, OfferedH2IsSelected) { EXPECT_EQ(AsServer("\x08http/1.1\x02h2"), "h2"); }
TEST_F(AlpnTest, Http1AloneIsSelected) { EXPECT_EQ(AsServer("\x08http/1.1"), "http/1.1"); }
TEST_F(AlpnTest, AClientThatOffersNothingIsServed) { EXPECT_EQ(AsServer(""), ""); }
TEST_F(AlpnTest, AClientThatOffersSomethingElseIsServed) { EXPECT_EQ(AsServer("\x03xyz"), ""); }

TEST_F(AlpnTest, AServerThatKnowsNothingOfItIsDialled) {
  client_context_ = Make(Side::kClient, TrustsOurs()).value();
  const RawEnd server(*std::move(theirs_), true, WithoutCa(), "");
  Begin(here_, client_context_, "localhost", client_);
  ASSERT_EQ(client_.Why(), "");
  EXPECT_EQ(static_cast<TlsLink&>(***client_.link).protocol(), "");
}

TEST_F(TlsTest, OurOwnEndsAgreeOnH2) {
  Shake(WithoutCa(), TrustsOurs());
  ASSERT_EQ(client_.Why(), "");
  EXPECT_EQ(static_cast<TlsLink&>(***client_.link).protocol(), "h2");
}

TEST_F(TlsTest, APlainServerIsCalledSo) {
  client_context_ = Make(Side::kClient, TrustsOurs()).value();
  OnLoop([&](runtime::Loop&) { there_->Write(std::string_view("\0\0\x12\4\0\0\0\0\0", 9)); });
  Begin(here_, client_context_, "localhost", client_);
  EXPECT_EQ(client_.Why(), "TLS: what came is no TLS; does it serve without TLS?");
}

TEST_F(TlsTest, WhoeverLeavesWithoutAWordIsNotComplainedOf) {
  server_context_ = Make(Side::kServer, WithoutCa()).value();
  Begin(there_, server_context_, "", server_);
  OnLoop([&](runtime::Loop&) { here_->Close(); });
  EXPECT_FALSE(server_.Wait());
  EXPECT_EQ(server_.Why(), "");
}

TEST_F(TlsTest, ASilentPeerIsGivenUpInTime) {
  server_context_ = Make(Side::kServer, WithoutCa()).value();
  Begin(there_, server_context_, "", server_, 10ms);
  EXPECT_EQ(server_.Why(), "TLS: the handshake took too long");
}

TEST_F(TlsTest, AHandshakeMayBreakOffAnywhere) {
  server_context_ = Make(Side::kServer, WithoutCa()).value();
  const std::string hello("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10);
  for (std::size_t size = 0; size <= hello.size(); ++size) {
    Pair();
    Outcome outcome;
    Begin(there_, server_context_, "", outcome);
    OnLoop([&](runtime::Loop&) {
      here_->Write(std::string_view(hello).substr(0, size));
      here_->Close();
    });
    EXPECT_FALSE(outcome.Wait()) << size;
  }
}

}  // namespace
}  // namespace micro::net
