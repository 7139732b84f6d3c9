#include "natsd/authenticator.h"

#include <utility>

#include "base/misconfigured.h"
#include "natsd/password.h"

namespace micro::natsd {
namespace {

constexpr std::string_view kUsersToo =
    "a token, or a single user, cannot be asked for beside a list of users";

bool TooLong(const Credentials& credentials) {
  for (const std::string* part : {&credentials.user, &credentials.password, &credentials.token,
                                  &credentials.nkey, &credentials.signature}) {
    if (part->size() > Authenticator::kLongest) return true;
  }
  return false;
}

Result<std::shared_ptr<const Identity>> IdentityOf(const User& user) {
  auto identity = std::make_shared<Identity>();
  identity->name = user.nkey.empty() ? user.user : user.nkey;
  identity->account = user.account.empty() ? Authenticator::kGlobalAccount : user.account;
  if (!user.permissions) return identity;
  auto rules = AccessRules::Make(*user.permissions);
  if (!rules) return Failure(std::move(rules.error()));
  identity->rules = *std::move(rules);
  return identity;
}

std::shared_ptr<const Identity> Anybody() {
  return std::make_shared<const Identity>(
      Identity{.account = std::string(Authenticator::kGlobalAccount)});
}

}  // namespace

Result<Authenticator> Authenticator::Make(const Authorization& authorization) {
  Authenticator made;
  made.required_ = authorization.required();
  if (!authorization.users.empty() && !(authorization.user + authorization.token).empty()) {
    return Misconfigured(std::string(kUsersToo));
  }
  for (const User& user : authorization.users) {
    if (auto added = made.Add(user); !added) return Failure(std::move(added.error()));
  }
  if (!authorization.user.empty()) {
    auto added = made.Add({.user = authorization.user, .password = authorization.password});
    if (!added) return Failure(std::move(added.error()));
  }
  if (!authorization.token.empty()) {
    if (auto good = CheckSecret(authorization.token, "the token"); !good) {
      return Failure(std::move(good.error()));
    }
    made.token_ = std::make_shared<const Known>(Known{authorization.token, Anybody()});
  }
  if (!made.required_) made.anonymous_ = Anybody();
  if (authorization.no_auth_user.empty()) return made;
  const auto stand_in = made.by_name_.find(authorization.no_auth_user);
  if (stand_in == made.by_name_.end()) {
    return Misconfigured("no_auth_user \"" + authorization.no_auth_user +
                         "\" is not among the users");
  }
  made.anonymous_ = stand_in->second.identity;
  return made;
}

Status Authenticator::Add(const User& user) {
  auto identity = IdentityOf(user);
  if (!identity) return Failure(std::move(identity.error()));
  return user.nkey.empty() ? AddName(user, *std::move(identity))
                           : AddKey(user, *std::move(identity));
}

Status Authenticator::AddKey(const User& user, std::shared_ptr<const Identity> identity) {
  const auto key = ParseUserKey(user.nkey);
  if (!key) {
    return Misconfigured("\"" + user.nkey +
                         "\" is no public nkey of a user, which is \"U\" and 55 more letters and "
                         "digits");
  }
  if (!user.user.empty() || !user.password.empty()) {
    return Misconfigured("user \"" + user.nkey + "\" has an nkey, and so no name and no password");
  }
  if (!by_nkey_.emplace(user.nkey, KnownKey{*key, std::move(identity)}).second) {
    return Misconfigured("user \"" + user.nkey + "\" is there twice");
  }
  return Ok();
}

Status Authenticator::AddName(const User& user, std::shared_ptr<const Identity> identity) {
  if (user.user.empty()) return Misconfigured("a user has neither a name nor an nkey");
  if (auto good = CheckSecret(user.password, "the password of user \"" + user.user + "\""); !good) {
    return good;
  }
  if (!by_name_.emplace(user.user, Known{user.password, std::move(identity)}).second) {
    return Misconfigured("user \"" + user.user + "\" is there twice");
  }
  return Ok();
}

// Whose password or token it would be.
const Authenticator::Known* Authenticator::Find(const Credentials& credentials) const {
  if (token_ && !credentials.token.empty()) return token_.get();
  const auto known = by_name_.find(credentials.user);
  return known == by_name_.end() ? nullptr : &known->second;
}

bool Authenticator::IsSlow(const Credentials& credentials) const {
  if (!credentials.nkey.empty() || TooLong(credentials)) return false;
  const Known* known = Find(credentials);
  return known != nullptr && IsBcrypt(known->secret);
}

std::shared_ptr<const Identity> Authenticator::Identify(const Credentials& credentials,
                                                        std::string_view nonce) const {
  if (!required_) return anonymous_;
  if (TooLong(credentials)) return nullptr;
  if (credentials.empty()) return anonymous_;
  if (!credentials.nkey.empty()) {
    const auto known = by_nkey_.find(credentials.nkey);
    if (known == by_nkey_.end() || nonce.empty()) return nullptr;
    const bool good = IsSignedBy(known->second.key, nonce, credentials.signature);
    return good ? known->second.identity : nullptr;
  }
  const Known* known = Find(credentials);
  if (known == nullptr) return nullptr;
  const std::string& given = known == token_.get() ? credentials.token : credentials.password;
  return SecretMatches(known->secret, given) ? known->identity : nullptr;
}

}  // namespace micro::natsd
