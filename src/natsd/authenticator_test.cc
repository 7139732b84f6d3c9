#include "natsd/authenticator.h"

#include <gtest/gtest.h>

#include "natsd/password.h"

namespace micro::natsd {
namespace {

// Made with OpenSSL's Ed25519 and glibc's crypt.
constexpr const char* kNkey = "UAMVEIDD36ABV5ZD6B655PSCTRTNU7VZF4J4XSGRREDF4WJVD2KJUQHT";
constexpr const char* kAccountKey = "AAMVEIDD36ABV5ZD6B655PSCTRTNU7VZF4J4XSGRREDF4WJVD2KJVUUM";
constexpr const char* kNonce = "PXoWU7zWAMt75FY";
constexpr const char* kSignature =
    "5Ntawb4fT6X-_1XeLOLma4tHakJzxA-4gY34JIcjry1nRtFp1IV40xc0yQ3FCbYvrFu6ujf2uKzla2bn9OThAA";
constexpr const char* kSignatureStandard =
    "5Ntawb4fT6X+/1XeLOLma4tHakJzxA+4gY34JIcjry1nRtFp1IV40xc0yQ3FCbYvrFu6ujf2uKzla2bn9OThAA==";
constexpr const char* kHash2a = "$2a$04$abcdefghijklmnopqrstuu35fBIWlNgF8BcAW/t2cO158N8svSFHy";
constexpr const char* kHash2y = "$2y$04$abcdefghijklmnopqrstuu35fBIWlNgF8BcAW/t2cO158N8svSFHy";
constexpr const char* kHash2b = "$2b$05$abcdefghijklmnopqrstuu9Avu/WgbsK7g7xfCY1X3pdjsTgxqQLS";

Authenticator Of(const Authorization& authorization) {
  auto made = Authenticator::Make(authorization);
  EXPECT_TRUE(made) << made.error().detail();
  return *std::move(made);
}

std::string Refusal(const Authorization& authorization) {
  const auto made = Authenticator::Make(authorization);
  EXPECT_FALSE(made);
  if (made) return {};
  EXPECT_EQ(made.error().phase(), Phase::kConfigure);
  return made.error().detail();
}

// The name of whom `authenticator` takes the credentials for; "nobody" if it takes them for none.
std::string Who(const Authenticator& authenticator, const Credentials& credentials,
                std::string_view nonce = kNonce) {
  const auto identity = authenticator.Identify(credentials, nonce);
  return identity ? identity->name : "nobody";
}

TEST(NkeyTest, ReadsAUsersPublicKeyAndNothingElse) {
  EXPECT_TRUE(ParseUserKey(kNkey));
  EXPECT_FALSE(ParseUserKey(kAccountKey));
  EXPECT_FALSE(ParseUserKey(""));
  EXPECT_FALSE(ParseUserKey(std::string(kNkey) + "A"));
  for (std::size_t i = 0; i < 56; ++i) {
    std::string changed = kNkey;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(ParseUserKey(changed)) << i;
    changed[i] = '1';
    EXPECT_FALSE(ParseUserKey(changed)) << i;
  }
}

TEST(NkeyTest, ASignatureIsOfOneMessage) {
  const auto key = ParseUserKey(kNkey);
  ASSERT_TRUE(key);
  EXPECT_TRUE(IsSignedBy(*key, kNonce, kSignature));
  EXPECT_TRUE(IsSignedBy(*key, kNonce, kSignatureStandard));
  EXPECT_FALSE(IsSignedBy(*key, "other", kSignature));
  EXPECT_FALSE(IsSignedBy(*key, kNonce, ""));
  EXPECT_FALSE(IsSignedBy(*key, kNonce, std::string(kSignature).substr(1)));
  std::string changed = kSignature;
  changed[10] = 'A';
  EXPECT_FALSE(IsSignedBy(*key, kNonce, changed));
  changed[10] = ' ';
  EXPECT_FALSE(IsSignedBy(*key, kNonce, changed));
}

TEST(PasswordTest, ComparesPlainAndHashed) {
  EXPECT_TRUE(SecretMatches("s3cr3t", "s3cr3t"));
  EXPECT_FALSE(SecretMatches("s3cr3t", "s3cr3"));
  EXPECT_FALSE(SecretMatches("s3cr3t", "s3cr3T"));
  for (const char* hash : {kHash2a, kHash2y, kHash2b}) {
    EXPECT_TRUE(CheckSecret(hash, "it"));
    EXPECT_TRUE(SecretMatches(hash, "s3cr3t")) << hash;
    EXPECT_FALSE(SecretMatches(hash, "s3cr3")) << hash;
    EXPECT_FALSE(SecretMatches(hash, hash)) << hash;
    EXPECT_FALSE(SecretMatches(hash, std::string_view("s3cr3t\0x", 8))) << hash;
  }
}

TEST(PasswordTest, AHashThatNoneCanMatchIsAnError) {
  EXPECT_FALSE(CheckSecret("$2a$04$abc", "it"));
  EXPECT_FALSE(CheckSecret(std::string(kHash2a).replace(20, 1, "!"), "it"));
  EXPECT_FALSE(CheckSecret(std::string(kHash2a).replace(4, 2, "17"), "it"));
  EXPECT_FALSE(CheckSecret(std::string(kHash2a).replace(4, 2, "03"), "it"));
  EXPECT_FALSE(CheckSecret(std::string(kHash2a).replace(4, 2, "0x"), "it"));
  EXPECT_TRUE(CheckSecret("$2z$04$plain", "it"));
}

TEST(AuthenticatorTest, WithoutAuthorizationEverybodyMayCome) {
  const Authenticator open = Of({});
  EXPECT_FALSE(open.required());
  EXPECT_FALSE(open.wants_nonce());
  const auto identity = open.Identify({.user = "x", .password = "y"}, "");
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->account, "$G");
  EXPECT_TRUE(identity->rules.MayPublish("a"));
}

TEST(AuthenticatorTest, ASingleUserNeedsItsPassword) {
  const Authenticator one = Of({.user = "derek", .password = "s3cr3t"});
  EXPECT_TRUE(one.required());
  EXPECT_EQ(Who(one, {.user = "derek", .password = "s3cr3t"}), "derek");
  EXPECT_EQ(Who(one, {.user = "derek", .password = "s3cr3T"}), "nobody");
  EXPECT_EQ(Who(one, {.user = "derek"}), "nobody");
  EXPECT_EQ(Who(one, {.password = "s3cr3t"}), "nobody");
  EXPECT_EQ(Who(one, {}), "nobody");
  EXPECT_EQ(Who(one, {.token = "s3cr3t"}), "nobody");
}

TEST(AuthenticatorTest, ATokenMayBeHashed) {
  const Authenticator plain = Of({.token = "abc"});
  EXPECT_EQ(Who(plain, {.token = "abc"}), "");
  EXPECT_EQ(Who(plain, {.token = "abd"}), "nobody");
  EXPECT_EQ(Who(plain, {.user = "abc"}), "nobody");
  EXPECT_FALSE(plain.IsSlow({.token = "abc"}));
  const Authenticator hashed = Of({.token = kHash2a});
  EXPECT_TRUE(hashed.IsSlow({.token = "s3cr3t"}));
  EXPECT_EQ(Who(hashed, {.token = "s3cr3t"}), "");
  EXPECT_EQ(Who(hashed, {.token = "wrong"}), "nobody");
}

TEST(AuthenticatorTest, UsersHaveAccountsAndPermissions) {
  const Authenticator many =
      Of({.users = {{.user = "alice",
                     .password = kHash2a,
                     .account = "A",
                     .permissions = Permissions{.publish = {.deny = {"secret"}}}},
                    {.user = "bob", .password = "pw"}}});
  const Credentials alice = {.user = "alice", .password = "s3cr3t"};
  EXPECT_TRUE(many.IsSlow(alice));
  EXPECT_FALSE(many.IsSlow({.user = "bob", .password = "pw"}));
  EXPECT_FALSE(many.IsSlow({.user = "eve", .password = "pw"}));
  const auto identity = many.Identify(alice, "");
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->account, "A");
  EXPECT_FALSE(identity->rules.MayPublish("secret"));
  EXPECT_EQ(many.Identify({.user = "bob", .password = "pw"}, "")->account, "$G");
  EXPECT_EQ(Who(many, {.user = "bob", .password = "s3cr3t"}), "nobody");
}

TEST(AuthenticatorTest, AnNkeySignsTheNonceOfItsConnection) {
  const Authenticator keys = Of({.users = {{.nkey = kNkey}, {.user = "bob", .password = "pw"}}});
  EXPECT_TRUE(keys.wants_nonce());
  EXPECT_EQ(Who(keys, {.nkey = kNkey, .signature = kSignature}), kNkey);
  EXPECT_EQ(Who(keys, {.nkey = kNkey, .signature = kSignature}, "other nonce"), "nobody");
  EXPECT_EQ(Who(keys, {.nkey = kNkey, .signature = kSignature}, ""), "nobody");
  EXPECT_EQ(Who(keys, {.nkey = kNkey}), "nobody");
  EXPECT_EQ(Who(keys, {.user = "bob", .password = "pw", .nkey = kNkey}), "nobody");
  EXPECT_EQ(Who(keys, {.user = "bob", .password = "pw"}), "bob");
}

TEST(AuthenticatorTest, WhoShowsNothingMayBeTakenForSomebody) {
  const Authenticator lenient =
      Of({.users = {{.user = "guest", .password = "g"}, {.user = "bob", .password = "pw"}},
          .no_auth_user = "guest"});
  EXPECT_FALSE(lenient.required());
  EXPECT_EQ(Who(lenient, {}), "guest");
  EXPECT_EQ(Who(lenient, {.user = "bob", .password = "pw"}), "bob");
  EXPECT_EQ(Who(lenient, {.user = "bob", .password = "no"}), "nobody");
}

TEST(AuthenticatorTest, CredentialsAreBounded) {
  const std::string endless(Authenticator::kLongest + 1, 'x');
  const Authenticator hashed = Of({.user = "a", .password = kHash2a});
  EXPECT_EQ(Who(hashed, {.user = "a", .password = endless}), "nobody");
  EXPECT_FALSE(hashed.IsSlow({.user = "a", .password = endless}));
  EXPECT_EQ(Who(Of({.token = endless}), {.token = endless}), "nobody");
}

TEST(AuthenticatorTest, OptionsThatCannotBeAreErrors) {
  EXPECT_NE(Refusal({.users = {{.nkey = "UABC"}}}).find("UABC"), std::string::npos);
  EXPECT_NE(Refusal({.users = {{.nkey = kAccountKey}}}).find(kAccountKey), std::string::npos);
  EXPECT_NE(Refusal({.users = {{.password = "x"}}}).find("neither"), std::string::npos);
  EXPECT_NE(Refusal({.users = {{.user = "a"}, {.user = "a"}}}).find("twice"), std::string::npos);
  EXPECT_NE(Refusal({.users = {{.nkey = kNkey}, {.nkey = kNkey}}}).find("twice"),
            std::string::npos);
  EXPECT_NE(Refusal({.users = {{.user = "a", .password = "$2a$04$x"}}}).find("\"a\""),
            std::string::npos);
  EXPECT_NE(Refusal({.users = {{.user = "a", .password = "b", .nkey = kNkey}}}).find(kNkey),
            std::string::npos);
  EXPECT_NE(Refusal({.token = "t", .users = {{.user = "a"}}}).find("beside"), std::string::npos);
  EXPECT_NE(Refusal({.token = "$2a$99$x"}).find("token"), std::string::npos);
  EXPECT_NE(Refusal({.users = {{.user = "a"}}, .no_auth_user = "b"}).find("\"b\""),
            std::string::npos);
  const Permissions bad = {.subscribe = {.allow = {"a..b"}}};
  EXPECT_NE(Refusal({.users = {{.user = "a", .permissions = bad}}}).find("a..b"),
            std::string::npos);
}

}  // namespace
}  // namespace micro::natsd
