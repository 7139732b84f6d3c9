#include "nats/settings.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <string_view>

#include <openssl/crypto.h>

#include "base/address.h"
#include "base/misconfigured.h"
#include "nats/nkey.h"

namespace micro::nats {
namespace {

constexpr std::string_view kDefaultServer = "127.0.0.1";
constexpr std::uint16_t kDefaultPort = 4222;

// A server that is silent for so long is asked whether it is there; and again, and given up.
constexpr std::chrono::milliseconds kPingInterval{15'000};
constexpr int kPings = 2;
constexpr std::chrono::milliseconds kReconnectWait{250};
constexpr std::chrono::milliseconds kJitter{100};
constexpr std::chrono::milliseconds kWriteDeadline{5'000};

// A server's address, taken apart.
struct Server {
  std::string user;  // with its password
  HostPort at;
  bool tls = false;

  std::string url(bool secret) const {
    return (tls ? "tls://" : "nats://") + (secret || user.empty() ? user : "…") +
           (user.empty() ? "" : "@") + JoinHostPort(at.host, at.port);
  }
};

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// An address may hold a password: errors quote what is behind that.
Result<Server> ParseServer(std::string_view text, const std::string& kind) {
  Server server;
  server.tls = TakePrefix(text, "tls://");
  if (!server.tls) TakePrefix(text, "nats://");
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    server.user = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  const std::size_t colon = text.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (text.find(':') == colon || text[colon - 1] == ']');
  auto at = ParseHostPort(has_port ? std::string(text)
                                   : std::string(text) + ":" + std::to_string(kDefaultPort));
  if (!at || at->host.empty()) {
    return Misconfigured("--" + kind + "_address: \"" + std::string(text) +
                         "\" is no address of a NATS server, such as nats://127.0.0.1:4222");
  }
  server.at = *std::move(at);
  return server;
}

Result<std::vector<Server>> ParseServers(const BrokerConfig& config, const std::string& kind) {
  std::vector<Server> servers;
  std::vector<std::string> addresses = config.addresses;
  if (addresses.empty()) addresses.emplace_back(kDefaultServer);
  for (const std::string& address : addresses) {
    auto server = ParseServer(address, kind);
    if (!server) return Failure(server.error());
    servers.push_back(*std::move(server));
  }
  return servers;
}

Result<std::string> ReadSeed(const std::string& path) {
  std::ifstream file(path);
  std::string seed;
  if (!std::getline(file, seed)) {
    return Misconfigured("--broker_nkey: cannot read \"" + path + '"');
  }
  while (!seed.empty() && std::isspace(static_cast<unsigned char>(seed.back())) != 0)
    seed.pop_back();
  return seed;
}

// Puts together what libnats is told, up to the first thing that it does not take.
class Builder {
 public:
  Builder(const BrokerConfig& config, const std::string& kind) : config_(config), kind_(kind) {}

  Result<Settings> Build() {
    auto servers = ParseServers(config_, kind_);
    if (!servers) return Failure(servers.error());
    natsOptions* made = nullptr;
    if (natsOptions_Create(&made) != NATS_OK) return Misconfigured("libnats: out of memory");
    options_.reset(made);
    tls_ = config_.tls || !config_.tls_ca.empty() || !config_.tls_cert.empty() ||
           std::ranges::any_of(*servers, &Server::tls);
    for (Server& server : *servers) server.tls = tls_;
    if (Status set = Fill(*servers); !set) return Failure(set.error());
    Settings settings{.options = std::move(options_), .servers = {}};
    for (const Server& server : *servers) {
      settings.servers += (settings.servers.empty() ? "" : ", ") + server.url(false);
    }
    return settings;
  }

 private:
  Status Fill(const std::vector<Server>& servers) {
    for (const auto part : {&Builder::FillBasics, &Builder::FillCredentials, &Builder::FillNkey}) {
      if (Status set = (this->*part)(); !set) return set;
    }
    if (Status set = FillServers(servers); !set) return set;
    return tls_ ? FillTls(servers) : Ok();
  }

  Status FillBasics() {
    natsOptions* to = options_.get();
    const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config_.timeout);
    const std::initializer_list<natsStatus> all = {
        natsOptions_SetName(to,
                            config_.client_name.empty() ? "micro" : config_.client_name.c_str()),
        natsOptions_SetTimeout(to, std::max<std::int64_t>(timeout.count(), 1)),
        natsOptions_SetAllowReconnect(to, true),
        natsOptions_SetMaxReconnect(to, -1),
        natsOptions_SetReconnectWait(to, kReconnectWait.count()),
        natsOptions_SetReconnectJitter(to, kJitter.count(), kJitter.count()),
        natsOptions_SetPingInterval(to, kPingInterval.count()),
        natsOptions_SetMaxPingsOut(to, kPings),
        natsOptions_SetWriteDeadline(to, kWriteDeadline.count()),
        // Without it libnats gathers for a millisecond what is published.
        natsOptions_SetSendAsap(to, true),
        natsOptions_UseGlobalMessageDelivery(to, true),
    };
    const auto bad = std::ranges::find_if(all, [](natsStatus one) { return one != NATS_OK; });
    return bad == all.end() ? Ok() : Refuse("address", *bad);
  }

  Status FillServers(const std::vector<Server>& servers) {
    std::vector<std::string> urls;
    for (const Server& server : servers) urls.push_back(server.url(true));
    std::vector<const char*> pointers;
    for (const std::string& url : urls) pointers.push_back(url.c_str());
    return Check("address", natsOptions_SetServers(options_.get(), pointers.data(),
                                                   static_cast<int>(pointers.size())));
  }

  Status FillCredentials() {
    natsOptions* to = options_.get();
    if (!config_.username.empty()) {
      const natsStatus set =
          natsOptions_SetUserInfo(to, config_.username.c_str(), config_.password.c_str());
      if (set != NATS_OK) return Refuse("username", set);
    }
    if (!config_.token.empty()) {
      const natsStatus set = natsOptions_SetToken(to, config_.token.c_str());
      if (set != NATS_OK) return Refuse("token", set);
    }
    if (config_.credentials.empty()) return Ok();
    if (!std::ifstream(config_.credentials)) {
      return Misconfigured("--broker_credentials: cannot read \"" + config_.credentials + '"');
    }
    return Check("credentials",
                 natsOptions_SetUserCredentialsFromFiles(to, config_.credentials.c_str(), nullptr));
  }

  Status FillNkey() {
    if (config_.nkey_seed.empty()) return Ok();
    auto seed = ReadSeed(config_.nkey_seed);
    if (!seed) return Failure(seed.error());
    auto key = PublicNkey(*seed);
    OPENSSL_cleanse(seed->data(), seed->size());
    if (!key) return Misconfigured("--broker_nkey: " + key.error().detail());
    return Check("nkey", natsOptions_SetNKeyFromSeed(options_.get(), key->c_str(),
                                                     config_.nkey_seed.c_str()));
  }

  Status FillTls(const std::vector<Server>& servers) {
    natsOptions* to = options_.get();
    if (Status set = Check("tls", natsOptions_SetSecure(to, true)); !set) return set;
    if (config_.tls_cert.empty() != config_.tls_key.empty())
      return Misconfigured("--broker_tls_cert and --broker_tls_key go together");
    if (!config_.tls_ca.empty()) {
      Status set =
          Check("tls_ca", natsOptions_LoadCATrustedCertificates(to, config_.tls_ca.c_str()));
      if (!set) return set;
    }
    if (!config_.tls_cert.empty()) {
      Status set = Check("tls_cert", natsOptions_LoadCertificatesChain(to, config_.tls_cert.c_str(),
                                                                       config_.tls_key.c_str()));
      if (!set) return set;
    }
    return FillServerName(servers);
  }

  // libnats takes a certificate for any host unless it is told the one name.
  Status FillServerName(const std::vector<Server>& servers) {
    std::set<std::string> hosts;
    for (const Server& server : servers) hosts.insert(server.at.host);
    std::string name = config_.tls_server_name;
    if (name.empty() && hosts.size() == 1) name = *hosts.begin();
    if (name.empty()) {
      return Misconfigured(
          "--broker_tls_server_name: with several servers it must say "
          "which name is in their certificates");
    }
    return Check("tls_server_name", natsOptions_SetExpectedHostname(options_.get(), name.c_str()));
  }

  Status Check(const std::string& what, natsStatus status) const {
    return status == NATS_OK ? Ok() : Refuse(what, status);
  }

  Failure Refuse(const std::string& what, natsStatus status) const {
    const char* more = nats_GetLastError(nullptr);
    return Misconfigured("--" + (what == "address" ? kind_ : "broker") + "_" + what + ": " +
                         (more != nullptr && *more != '\0' ? more : natsStatus_GetText(status)));
  }

  const BrokerConfig& config_;
  const std::string& kind_;
  OptionsPtr options_;
  bool tls_ = false;
};

}  // namespace

Result<Settings> MakeSettings(const BrokerConfig& config, const std::string& kind) {
  return Builder(config, kind).Build();
}

}  // namespace micro::nats
