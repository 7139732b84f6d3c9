#include "natsd/config/users.h"

#include <cstdint>
#include <utility>

#include "natsd/config/keys.h"
#include "natsd/config/scalars.h"

namespace micro::natsd::config {
namespace {

// A key of nats-server's that would change who may do what, and so cannot be passed over.
Status NotHere(const Value& value) {
  return Complaint(value.place, "this is not supported, and cannot be ignored");
}

Status Skip(const Value&) { return Ok(); }

// `pub: "a"`, `pub: ["a", "b"]` or `pub: {allow: …, deny: …}`.
Status ReadRules(const Value& value, SubjectRules& rules) {
  if (value.map() == nullptr) return Into(rules.allow, ReadTexts)(value);
  return ReadKeys(value, "permissions",
                  {{.names = {"allow"}, .read = Into(rules.allow, ReadTexts)},
                   {.names = {"deny"}, .read = Into(rules.deny, ReadTexts)}});
}

Status ReadMax(const Value& value, int& max) {
  constexpr std::int64_t kMost = 1'000'000'000;
  auto number = ReadWithin(value, -1, kMost);
  if (!number) return Failure(std::move(number.error()));
  max = *number == 0 ? 1 : static_cast<int>(*number);
  return Ok();
}

// `allow_responses: true` or `allow_responses: {max: …, expires: …}`.
Status ReadResponses(const Value& value, Permissions& permissions) {
  if (value.map() != nullptr) {
    ResponseRule rule;
    auto read = ReadKeys(
        value, "allow_responses",
        {{.names = {"max", "max_msgs", "max_messages", "max_responses"},
          .read = [&rule](const Value& max) { return ReadMax(max, rule.max); }},
         {.names = {"expires", "expiration", "ttl"}, .read = Into(rule.expires, ReadTime)}});
    permissions.responses = rule;
    return read;
  }
  const auto allowed = ReadBool(value);
  if (!allowed) return Failure(allowed.error());
  permissions.responses = *allowed ? std::optional<ResponseRule>(ResponseRule()) : std::nullopt;
  return Ok();
}

Status ReadPermissions(const Value& value, Permissions& permissions) {
  return ReadKeys(
      value, "permissions",
      {{.names = {"publish", "pub", "import"},
        .read = [&](const Value& rules) { return ReadRules(rules, permissions.publish); }},
       {.names = {"subscribe", "sub", "export"},
        .read = [&](const Value& rules) { return ReadRules(rules, permissions.subscribe); }},
       {.names = {"allow_responses", "publish_allow_responses"},
        .read = [&](const Value& rule) { return ReadResponses(rule, permissions); }}});
}

Status ReadOptionalPermissions(const Value& value, std::optional<Permissions>& permissions) {
  return ReadPermissions(value, permissions.emplace());
}

Status ReadUser(const Value& value, User& user) {
  return ReadKeys(value, "a user",
                  {{.names = {"user", "username"}, .read = Into(user.user, ReadText)},
                   {.names = {"pass", "password"}, .read = Into(user.password, ReadText)},
                   {.names = {"nkey"}, .read = Into(user.nkey, ReadText)},
                   {.names = {"permissions", "permission", "authorization"},
                    .read =
                        [&](const Value& permissions) {
                          return ReadOptionalPermissions(permissions, user.permissions);
                        }},
                   {.names = {"allowed_connection_types", "connection_types", "clearance_types"},
                    .read = NotHere}});
}

// What users of one place have in common.
struct Common {
  std::string account = {};
  std::optional<Permissions> permissions = {};
};

Status ReadUsers(const Value& value, std::vector<User>& users) {
  if (value.list() == nullptr) return Complaint(value.place, "wanted a list of users [ … ]");
  for (const Value& item : *value.list()) {
    if (auto read = ReadUser(item, users.emplace_back()); !read) return read;
  }
  return Ok();
}

void Join(std::vector<User> fresh, const Common& common, Authorization& authorization) {
  for (User& user : fresh) {
    user.account = common.account;
    if (!user.permissions) user.permissions = common.permissions;
    authorization.users.push_back(std::move(user));
  }
}

Status ReadAccount(const Value& value, const std::string& name, Authorization& authorization) {
  Common common{.account = name};
  std::vector<User> users;
  auto read = ReadKeys(
      value, "an account",
      {{.names = {"users"}, .read = [&](const Value& list) { return ReadUsers(list, users); }},
       {.names = {"default_permissions", "default_permission", "permissions"},
        .read =
            [&](const Value& permissions) {
              return ReadOptionalPermissions(permissions, common.permissions);
            }},
       {.names = {"jetstream"}, .read = Skip},
       {.names = {"exports", "imports", "mappings", "maps", "limits"}, .read = NotHere}});
  if (read) Join(std::move(users), common, authorization);
  return read;
}

}  // namespace

Status ReadAuthorization(const Value& value, Authorization& authorization) {
  Common common;
  std::vector<User> users;
  auto read = ReadKeys(
      value, "authorization",
      {{.names = {"user", "username"}, .read = Into(authorization.user, ReadText)},
       {.names = {"pass", "password"}, .read = Into(authorization.password, ReadText)},
       {.names = {"token"}, .read = Into(authorization.token, ReadText)},
       {.names = {"timeout"}, .read = Into(authorization.timeout, ReadTime)},
       {.names = {"users"}, .read = [&](const Value& list) { return ReadUsers(list, users); }},
       {.names = {"default_permissions", "default_permission", "permissions"},
        .read =
            [&](const Value& permissions) {
              return ReadOptionalPermissions(permissions, common.permissions);
            }},
       {.names = {"auth_callout", "proxy_required"}, .read = NotHere}});
  if (read) Join(std::move(users), common, authorization);
  return read;
}

Status ReadAccounts(const Value& value, Authorization& authorization) {
  if (value.map() == nullptr) return Complaint(value.place, "wanted a map of accounts { … }");
  for (const Value& entry : *value.map()) {
    if (auto read = ReadAccount(entry, entry.key, authorization); !read) return read;
  }
  return Ok();
}

}  // namespace micro::natsd::config
