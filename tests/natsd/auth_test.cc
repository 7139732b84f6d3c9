// Who may connect, and what they may do.
#include <array>
#include <memory>
#include <span>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "server_process.h"

namespace micro::natsd::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kViolation = "-ERR 'Authorization Violation'\r\n";
// Of "s3cr3t".
constexpr const char* kHash = "$2a$04$abcdefghijklmnopqrstuu35fBIWlNgF8BcAW/t2cO158N8svSFHy";

// What the server says to `connect` (JSON), up to its PONG or its end.
std::string Try(const ServerProcess& server, const std::string& connect) {
  Wire wire = server.Stranger();
  wire.Send("CONNECT " + connect + "\r\n");
  return wire.Sync();
}

std::string Quiet(const std::string& credentials) {
  return R"({"verbose":false,"pedantic":false,)" + credentials + "}";
}

constexpr const char* kRefused = "-ERR 'Authorization Violation'\r\n[closed]";

TEST(AuthTest, ASingleUserHasAPassword) {
  const ServerProcess server("authorization { user: derek, password: s3cr3t }");
  EXPECT_EQ(nlohmann::json::parse(server.Stranger().info())["auth_required"], true);
  EXPECT_EQ(Try(server, Quiet(R"("user":"derek","pass":"s3cr3t")")), "");
  EXPECT_EQ(Try(server, Quiet(R"("user":"derek","pass":"wrong")")), kRefused);
  EXPECT_EQ(Try(server, Quiet(R"("user":"other","pass":"s3cr3t")")), kRefused);
  EXPECT_EQ(Try(server, Quiet(R"("auth_token":"s3cr3t")")), kRefused);
  EXPECT_EQ(Try(server, "{\"verbose\":false}"), kRefused);
}

TEST(AuthTest, NothingElseComesBeforeConnect) {
  const ServerProcess server("authorization { token: t }");
  for (const char* what : {"PING\r\n", "SUB a 1\r\n", "PUB a 0\r\n\r\n"}) {
    Wire wire = server.Stranger();
    wire.Send(what);
    EXPECT_EQ(wire.Rest(), kViolation) << what;
  }
}

TEST(AuthTest, WhoSaysNothingIsTurnedAway) {
  const ServerProcess server("authorization { token: t, timeout: 0.5 }");
  Wire wire = server.Stranger();
  EXPECT_EQ(wire.Rest(), "-ERR 'Authentication Timeout'\r\n");
}

TEST(AuthTest, TokensMayBeHashed) {
  const ServerProcess plain("authorization { token: abc }");
  EXPECT_EQ(Try(plain, Quiet(R"("auth_token":"abc")")), "");
  EXPECT_EQ(Try(plain, Quiet(R"("auth_token":"abd")")), kRefused);
  const ServerProcess hashed(std::string("authorization { token: \"") + kHash + "\" }");
  EXPECT_EQ(Try(hashed, Quiet(R"("auth_token":"s3cr3t")")), "");
  EXPECT_EQ(Try(hashed, Quiet(R"("auth_token":"wrong")")), kRefused);
}

TEST(AuthTest, UsersMayHaveHashedPasswords) {
  const ServerProcess server(std::string("authorization { users: [ {user: a, password: \"") +
                             kHash + "\"}, {user: b, password: pw} ] }");
  EXPECT_EQ(Try(server, Quiet(R"("user":"a","pass":"s3cr3t")")), "");
  EXPECT_EQ(Try(server, Quiet(R"("user":"a","pass":"pw")")), kRefused);
  EXPECT_EQ(Try(server, Quiet(R"("user":"b","pass":"pw")")), "");
}

TEST(AuthTest, WhoShowsNothingMayBeTakenForAUser) {
  const ServerProcess server(
      "authorization { users: [ {user: guest, password: g, permissions: {publish: {deny: \">\"}}},"
      " {user: b, password: pw} ] }\nno_auth_user: guest\n");
  EXPECT_FALSE(nlohmann::json::parse(server.Stranger().info()).contains("auth_required"));
  Wire guest = server.Client();
  guest.Send("PUB a 0\r\n\r\n");
  EXPECT_EQ(guest.Sync(), "-ERR 'Permissions Violation for Publish to \"a\"'\r\n");
  EXPECT_EQ(Try(server, Quiet(R"("user":"b","pass":"no")")), kRefused);
}

// --- nkeys --------------------------------------------------------------------------------------

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

Key TestKey() {
  std::array<unsigned char, 32> seed{};
  seed.fill(7);
  return Key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
}

// `width` bits a character, most significant first.
std::string Encode(std::span<const unsigned char> bytes, unsigned width,
                   std::string_view alphabet) {
  std::string text;
  unsigned bits = 0, count = 0;
  for (const unsigned char byte : bytes) {
    bits = bits << 8U | byte;
    for (count += 8; count >= width; count -= width) {
      text += alphabet[bits >> (count - width) & ((1U << width) - 1)];
    }
  }
  if (count > 0) text += alphabet[bits << (width - count) & ((1U << width) - 1)];
  return text;
}

std::string NkeyOf(const Key& key) {
  std::array<unsigned char, 35> raw{20U << 3U};
  std::size_t length = 32;
  EVP_PKEY_get_raw_public_key(key.get(), raw.data() + 1, &length);
  unsigned crc = 0;
  for (std::size_t i = 0; i < 33; ++i) {
    crc ^= static_cast<unsigned>(raw[i]) << 8U;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc << 1U ^ ((crc & 0x8000U) != 0 ? 0x1021U : 0)) & 0xFFFFU;
  }
  raw[33] = static_cast<unsigned char>(crc);
  raw[34] = static_cast<unsigned char>(crc >> 8U);
  return Encode(raw, 5, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}

std::string Sign(const Key& key, const std::string& nonce) {
  const std::unique_ptr<EVP_MD_CTX, FreeKey> context(EVP_MD_CTX_new());
  std::array<unsigned char, 64> signature{};
  std::size_t length = signature.size();
  EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get());
  EVP_DigestSign(context.get(), signature.data(), &length,
                 reinterpret_cast<const unsigned char*>(nonce.data()), nonce.size());
  return Encode(signature, 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

TEST(AuthTest, AnNkeySignsTheNonce) {
  const Key key = TestKey();
  const std::string nkey = NkeyOf(key);
  const ServerProcess server("authorization { users: [ {nkey: " + nkey + "} ] }");
  Wire wire = server.Stranger();
  const std::string nonce = nlohmann::json::parse(wire.info())["nonce"];
  const std::string signature = Sign(key, nonce);
  const std::string connect = Quiet(R"("nkey":")" + nkey + R"(","sig":")" + signature + "\"");
  wire.Send("CONNECT " + connect + "\r\n");
  EXPECT_EQ(wire.Sync(), "");
  EXPECT_EQ(Try(server, connect), kRefused) << "the nonce of another connection";
  EXPECT_EQ(Try(server, Quiet(R"("nkey":")" + nkey + "\"")), kRefused);
}

// --- permissions --------------------------------------------------------------------------------

class PermissionsTest : public ::testing::Test {
 protected:
  Wire As(const std::string& user) {
    return server_.Client(R"({"verbose":false,"pedantic":false,"user":")" + user +
                          R"(","pass":"x"})");
  }

  ServerProcess server_{R"(
    authorization { users: [
      { user: admin, password: x }
      { user: some, password: x, permissions: {
          publish: { allow: ["req.*", "open.>"], deny: "open.secret" }
          subscribe: { allow: [">"], deny: ["secret", "c.secret"] } } }
      { user: worker, password: x, permissions: {
          subscribe: ["work.> workers", "req.*"], allow_responses: { max: 2 } } }
    ] })"};
};

TEST_F(PermissionsTest, PublishingIsAllowedOrDenied) {
  Wire admin = As("admin");
  admin.Send("SUB > 1\r\n");
  admin.Sync();
  Wire some = As("some");
  some.Send(
      "PUB req.1 0\r\n\r\nPUB other 0\r\n\r\nPUB open.secret 0\r\n\r\nPUB open.x.y 0\r\n\r\n");
  EXPECT_EQ(some.Sync(),
            "-ERR 'Permissions Violation for Publish to \"other\"'\r\n"
            "-ERR 'Permissions Violation for Publish to \"open.secret\"'\r\n");
  EXPECT_EQ(admin.Sync(), "MSG req.1 1 0\r\n\r\nMSG open.x.y 1 0\r\n\r\n");
}

TEST_F(PermissionsTest, SubscribingIsAllowedOrDenied) {
  Wire some = As("some");
  some.Send("SUB secret 1\r\nSUB open 2\r\n");
  EXPECT_EQ(some.Sync(), "-ERR 'Permissions Violation for Subscription to \"secret\"'\r\n");
  Wire worker = As("worker");
  worker.Send("SUB work.a workers 1\r\nSUB work.a others 2\r\nSUB work.a 3\r\nSUB req.1 4\r\n");
  EXPECT_EQ(worker.Sync(),
            "-ERR 'Permissions Violation for Subscription to \"work.a\" using queue \"others\"'\r\n"
            "-ERR 'Permissions Violation for Subscription to \"work.a\"'\r\n");
}

TEST_F(PermissionsTest, WhatIsDeniedIsKeptFromWildcards) {
  Wire some = As("some");
  some.Send("SUB c.* 1\r\n");
  EXPECT_EQ(some.Sync(), "");
  Wire admin = As("admin");
  admin.Send("PUB c.secret 0\r\n\r\nPUB c.open 0\r\n\r\n");
  admin.Sync();
  EXPECT_EQ(some.Sync(), "MSG c.open 1 0\r\n\r\n");
}

TEST_F(PermissionsTest, ARequestIsLeaveToAnswer) {
  Wire admin = As("admin");
  Wire worker = As("worker");
  worker.Send("SUB req.* 1\r\nPUB answer 0\r\n\r\n");
  EXPECT_EQ(worker.Sync(), "-ERR 'Permissions Violation for Publish to \"answer\"'\r\n");
  admin.Send("SUB answer 1\r\nPUB req.1 answer 0\r\n\r\n");
  admin.Sync();
  EXPECT_EQ(worker.Sync(), "MSG req.1 1 answer 0\r\n\r\n");
  worker.Send("PUB answer 1\r\na\r\nPUB answer 1\r\nb\r\nPUB answer 1\r\nc\r\n");
  EXPECT_EQ(worker.Sync(), "-ERR 'Permissions Violation for Publish to \"answer\"'\r\n");
  EXPECT_EQ(admin.Sync(), "MSG answer 1 1\r\na\r\nMSG answer 1 1\r\nb\r\n");
}

TEST(AccountsTest, AreWorldsOfTheirOwn) {
  const ServerProcess server(
      "accounts { A { users: [{user: a, password: x}, {user: a2, password: x}] }\n"
      "B { users: [{user: b, password: x}] } }");
  Wire a = server.Client(Quiet(R"("user":"a","pass":"x")"));
  Wire a2 = server.Client(Quiet(R"("user":"a2","pass":"x")"));
  Wire b = server.Client(Quiet(R"("user":"b","pass":"x")"));
  for (Wire* wire : {&a2, &b}) {
    wire->Send("SUB > 1\r\n");
    wire->Sync();
  }
  a.Send("PUB foo 0\r\n\r\n");
  a.Sync();
  EXPECT_EQ(a2.Sync(), "MSG foo 1 0\r\n\r\n");
  EXPECT_EQ(b.Sync(), "");
}

}  // namespace
}  // namespace micro::natsd::testing
