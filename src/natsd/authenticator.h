#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "micro/error.h"

#include "natsd/nkey.h"
#include "natsd/options.h"
#include "natsd/permissions.h"

namespace micro::natsd {

/// What a client shows of itself in CONNECT; empty is what it left out.
struct Credentials {
  std::string user = {};
  std::string password = {};   ///< "pass"
  std::string token = {};      ///< "auth_token"
  std::string nkey = {};       ///< "nkey"
  std::string signature = {};  ///< "sig"

  bool empty() const {
    return user.empty() && password.empty() && token.empty() && nkey.empty() && signature.empty();
  }
};

/// Who a client turned out to be.
struct Identity {
  std::string name = {};  ///< the user's name or nkey; empty: nobody in particular
  std::string account = {};
  AccessRules rules = {};
};

/// Decides who a client is from what it shows.
///
/// Immutable: any number of threads may ask it.
class Authenticator {
 public:
  /// The account of whom none is given.
  static constexpr std::string_view kGlobalAccount = "$G";
  /// No credential may be longer, in bytes.
  static constexpr std::size_t kLongest = 4096;

  /// INVALID_ARGUMENT with Phase::kConfigure for options that cannot be: an nkey that is none, a
  /// user without a name or twice there, a hash that is none or costs too much, a rule that is no
  /// subject, a token beside users, a `no_auth_user` that is no user.
  static Result<Authenticator> Make(const Authorization& authorization);

  /// Whether clients must show something; with `no_auth_user` they need not.
  bool required() const { return required_ && !anonymous_; }

  /// Whether INFO must offer a nonce for nkeys to sign.
  bool wants_nonce() const { return !by_nkey_.empty(); }

  /// Whether Identify would compute a bcrypt hash, which takes tens to hundreds of milliseconds on
  /// purpose: it must then be called on a thread that nobody else waits for.
  bool IsSlow(const Credentials& credentials) const;

  /// Who shows `credentials` on a connection whose INFO offered `nonce`; null: nobody who may
  /// connect. What it takes tells nothing of how far a wrong password was right.
  std::shared_ptr<const Identity> Identify(const Credentials& credentials,
                                           std::string_view nonce) const;

 private:
  struct Known {
    std::string secret;  // plain or bcrypt
    std::shared_ptr<const Identity> identity;
  };
  struct KnownKey {
    UserKey key;
    std::shared_ptr<const Identity> identity;
  };

  Status Add(const User& user);
  Status AddKey(const User& user, std::shared_ptr<const Identity> identity);
  Status AddName(const User& user, std::shared_ptr<const Identity> identity);
  const Known* Find(const Credentials& credentials) const;

  bool required_ = false;
  std::map<std::string, Known, std::less<>> by_name_;
  std::map<std::string, KnownKey, std::less<>> by_nkey_;
  std::shared_ptr<const Known> token_;
  std::shared_ptr<const Identity> anonymous_;
};

}  // namespace micro::natsd
