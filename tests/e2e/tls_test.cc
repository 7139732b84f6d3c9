#include <filesystem>
#include <thread>

#include "child.h"
#include "fleet.h"
#include "http2_peer.h"
#include "net/testing/certificates.h"
#include "socket.h"

// Whole calls within TLS, over unix sockets, and what those hear who do not agree on how to talk.
namespace micro::e2e {
namespace {

using net::testing::Ca;
using net::testing::Folder;

class SecureTest : public GrpcFleetTest {
 protected:
  SecureTest() {
    ca_.Write(folder_ / "ca.pem");
    Issue("localhost,IP:127.0.0.1");
  }

  void Issue(const std::string& name) {
    ca_.Issue(folder_ / "cert.pem", folder_ / "key.pem", "DNS:" + name);
  }

  // A server that shows a certificate and asks for none.
  ServiceOptions Showing() const {
    ServiceOptions options = Options();
    options.tls_cert = folder_ / "cert.pem";
    options.tls_key = folder_ / "key.pem";
    return options;
  }
  // The same, and callers have to show theirs.
  ServiceOptions Asking() const {
    ServiceOptions options = Showing();
    options.tls_ca = folder_ / "ca.pem";
    return options;
  }
  void Trust() { caller_options_.tls_ca = folder_ / "ca.pem"; }
  void ShowOurs() {
    caller_options_.tls_cert = folder_ / "cert.pem";
    caller_options_.tls_key = folder_ / "key.pem";
  }

  Reply CallAt(const std::string& address, const Request& request = Named("John")) {
    const std::vector<std::string> addresses = {address};
    return test().Call(request, {.addresses = addresses});
  }

  Folder folder_;
  Ca ca_;
};

TEST_F(SecureTest, CallsTravelInTls) {
  Serve(Blocking(Echo), Showing());
  Trust();
  for (int i = 0; i < 10; ++i) {
    const Reply reply = Call(Named("John"));
    ASSERT_TRUE(reply) << reply.error().ToString();
    EXPECT_EQ(reply->text(), "Hello John");
  }
}

TEST_F(SecureTest, LargeMessagesTravelManyAtOnce) {
  Serve(Blocking(Echo), Showing());
  Trust();
  caller();
  Request request = Named("John");
  for (int i = 0; i < 3 << 20; ++i) request.mutable_payload()->push_back(static_cast<char>(i * 7));
  std::vector<std::thread> callers;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      const Reply reply = Call(request, {.timeout = 30s});
      good += reply && reply->payload() == request.payload() ? 1 : 0;
    });
  }
  for (auto& one : callers) one.join();
  EXPECT_EQ(good, 4);
}

TEST_F(SecureTest, ACallerWithACertificateIsServed) {
  Serve(Blocking(Echo), Asking());
  Trust();
  ShowOurs();
  const Reply reply = Call(Named("John"));
  EXPECT_TRUE(reply) << reply.error().ToString();
}

TEST_F(SecureTest, ACallerWithoutACertificateIsToldSo) {
  Serve(Blocking(Echo), Asking());
  Trust();
  const Error error = CallFails(Named("John"));
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_NE(error.detail().find("certificate required"), std::string::npos) << error.ToString();
  EXPECT_TRUE(
      Eventually([&] { return log_->Has(LogLevel::kWarn, "peer did not return a certificate"); }));
}

TEST_F(SecureTest, AServerOfAnotherCaIsNotTalkedTo) {
  Serve(Blocking(Echo), Showing());
  Ca("Another CA").Write(folder_ / "another.pem");
  caller_options_.tls_ca = folder_ / "another.pem";
  const Error error = CallFails(Named("John"));
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.phase(), Phase::kConnect);
  EXPECT_NE(error.detail().find("the certificate is not accepted"), std::string::npos)
      << error.ToString();
}

TEST_F(SecureTest, ServersFoundByAddressMayShowOneName) {
  Issue("greeter.example");
  Serve(Blocking(Echo), Showing());
  Trust();
  caller_options_.tls_server_name = "greeter.example";
  EXPECT_TRUE(Call(Named("John")));
}

TEST_F(SecureTest, APlainCallerHearsThatThePortSpeaksTls) {
  Serve(Blocking(Echo), Showing());
  const Error error = CallFails(Named("John"));
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_NE(error.detail().find("this port speaks TLS"), std::string::npos) << error.ToString();
  EXPECT_TRUE(Eventually([&] { return log_->Has(LogLevel::kWarn, "what came is no TLS"); }));
}

TEST_F(SecureTest, ATlsCallerHearsThatThePortIsPlain) {
  Serve(Blocking(Echo));
  Trust();
  const Error error = CallFails(Named("John"));
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.phase(), Phase::kConnect);
  EXPECT_NE(error.detail().find("does it serve without TLS?"), std::string::npos)
      << error.ToString();
  EXPECT_TRUE(Eventually([&] { return log_->Has(LogLevel::kWarn, "speaks TLS"); }));
}

TEST_F(SecureTest, ASchemeInTheAddressDecides) {
  const std::string secure = Serve(Blocking(Echo), Showing()).address();
  ServiceOptions plain = Options("plain");
  const std::string open = Serve(Blocking(Echo), plain).address();
  const Reply unverified = CallAt("https://" + secure);
  ASSERT_FALSE(unverified);  // by the system's CAs
  EXPECT_NE(unverified.error().detail().find("certificate"), std::string::npos);
  caller_.reset();
  Trust();
  EXPECT_TRUE(CallAt("https://" + secure));
  EXPECT_TRUE(CallAt("http://" + open));
  EXPECT_FALSE(CallAt("http://" + secure));
}

TEST_F(SecureTest, SkippingVerificationIsLogged) {
  Issue("somebody.else");
  Serve(Blocking(Echo), Showing());
  caller_options_.tls_skip_verify = true;
  EXPECT_TRUE(Call(Named("John")));
  EXPECT_TRUE(log_->Has(LogLevel::kWarn, "--tls_skip_verify"));
}

TEST_F(SecureTest, ARenewedCertificateIsShownAndNoCallIsLost) {
  Issue("old.example");
  Serve(Blocking(Echo), Showing());
  Trust();
  caller_options_.tls_server_name = "old.example";
  ASSERT_TRUE(Call(Named("John")));
  Issue("new.example");
  ServiceOptions options = caller_options_;
  options.tls_server_name = "new.example";
  // Callers that dial now, until one is shown the new certificate.
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(Call(Named("John")));  // on the connection that was there before
    Service fresh(options);
    return testee::TestClient("test", fresh.client()).Call(Named("John"), {}).has_value();
  }));
  EXPECT_TRUE(log_->Has(LogLevel::kInfo, "certificates were read anew"));
}

TEST_F(SecureTest, ASlowHandshakeIsCutShortAndOthersAreServed) {
  ServiceOptions options = Showing();
  options.tls_handshake_timeout = 100ms;
  const std::string address = Serve(Blocking(Echo), options).address();
  Socket slow = Socket::Dial(address);
  slow.Send("\x16\x03\x01");
  Trust();
  EXPECT_TRUE(Call(Named("John")));
  EXPECT_TRUE(slow.WaitClosed());
  EXPECT_TRUE(Eventually([&] { return log_->Has(LogLevel::kWarn, "took too long"); }));
}

TEST_F(SecureTest, HandshakesUnderWayDoNotOutliveTheService) {
  Service& service = Serve(Blocking(Echo), Showing());
  std::vector<Socket> sockets;
  for (int i = 0; i < 10; ++i) {
    sockets.push_back(Socket::Dial(service.address()));
    sockets.back().Send("\x16\x03\x01");
  }
  Stop(service);
}

TEST_F(SecureTest, AUnixSocketServesAndIsDialled) {
  ServiceOptions options = Options();
  options.address = "unix://" + folder_ / "x.sock";
  Service& service = Serve(Blocking(Echo), options);
  EXPECT_EQ(service.address(), options.address);
  EXPECT_TRUE(Call(Named("John")));  // found in the registry
  EXPECT_TRUE(CallAt(options.address));
  Stop(service);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x.sock"));
}

TEST_F(SecureTest, AUnixSocketMaySpeakTls) {
  ServiceOptions options = Asking();
  options.address = "unix://" + folder_ / "x.sock";
  Serve(Blocking(Echo), options);
  Trust();
  ShowOurs();
  EXPECT_TRUE(Call(Named("John")));
}

TEST_F(SecureTest, TheStaticRegistryTakesAllFormsOfAddresses) {
  ServiceOptions options = Options();
  options.address = "unix://" + folder_ / "x.sock";
  Serve(Blocking(Echo), options);
  const std::string secure = Serve(Blocking(Echo), Showing()).address();
  Trust();
  caller_options_.registry = "static";
  caller_options_.registry_address = {"test=https://" + secure};
  EXPECT_TRUE(Call(Named("John")));
  caller_options_.tls_ca = "";
  caller_options_.registry_address = {"test=" + options.address};
  caller_.reset();
  EXPECT_TRUE(Call(Named("John")));
}

// What a program says whose files cannot be used.
TEST(SecureProgramTest, UnusableFilesEndAServiceWithTwoAndASentence) {
  const Folder folder;
  const Ca ca;
  ca.Issue(folder / "cert.pem", folder / "key.pem", "DNS:localhost");
  const std::string cert = "--tls_cert=" + folder / "cert.pem";
  const std::string key = "--tls_key=" + folder / "key.pem";
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{cert}, "--tls_cert needs its --tls_key"},
      {{key}, "--tls_key needs its --tls_cert"},
      {{"--tls_cert=/nowhere", key}, "--tls_cert: cannot read /nowhere"},
      {{cert, "--tls_key=/nowhere"}, "--tls_key: cannot read /nowhere"},
      {{cert, key, "--tls_ca=/nowhere"}, "--tls_ca: cannot read /nowhere"},
      {{cert, key, "--tls_client_auth=require"}, "--tls_client_auth=require needs --tls_ca"},
      {{"--tls_client_auth=perhaps"}, "none of require, request and none"},
  };
  for (auto [arguments, sentence] : cases) {
    arguments.emplace_back("--registry=memory");
    Child child("helloworld", arguments);
    EXPECT_EQ(child.Wait(), 2) << child.output();
    EXPECT_NE(child.output().find(sentence), std::string::npos) << child.output();
    EXPECT_EQ(std::ranges::count(child.output(), '\n'), 1) << child.output();
  }
}

}  // namespace
}  // namespace micro::e2e
