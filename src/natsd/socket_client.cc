#include "natsd/socket_client.h"

#include <algorithm>
#include <utility>

#include "base/dice.h"
#include "natsd/engine.h"
#include "natsd/info.h"

namespace micro::natsd {
namespace {

constexpr std::chrono::seconds kFirstPing{2};

}  // namespace

SocketClient::SocketClient(Engine& engine, int descriptor)
    : Client(engine),
      wire_(engine, descriptor, *this),
      start_(std::chrono::system_clock::now()),
      auth_timeout_([this] {
        SendError("Authentication Timeout");
        Close("Authentication Timeout");
      }),
      ping_([this] { SendPing(); }) {}

void SocketClient::Start() {
  const Options& options = engine().options();
  const bool tls = options.tls.on();
  if (engine().authenticator().wants_nonce()) nonce_ = engine().NewNonce();
  Send(Info());
  Flush();
  if (engine().authenticator().required()) {
    const Duration more = tls ? options.tls.timeout : Duration::zero();
    engine().loop().Arm(auth_timeout_, options.authorization.timeout + more);
  }
  ArmPing(std::min<Duration>(kFirstPing, options.ping_interval));
  if (tls) return StartTls();
  wire_.Start();
}

// TLS begins behind INFO. Who goes on in clear is told so, unless that is allowed.
void SocketClient::StartTls() {
  const Options& options = engine().options();
  wire_.Sniff([this] { return wire_.NewTls(*engine().client_tls(), ""); }, options.tls.timeout,
              [this, allowed = options.allow_non_tls] {
                if (allowed) return wire_.Start();
                SendError("Secure Connection - TLS Required");
                Close("TLS Required");
              });
  shares_ = false;  // a record that is tried again must not have moved
}

void SocketClient::TurnAway() {
  Send(Info());
  SendError("maximum connections exceeded");
  Close("Maximum Connections Exceeded");
}

std::string SocketClient::Info() const {
  ClientInfo info = engine().InfoForClients();
  info.client_id = id();
  info.client_ip = wire_.ip();
  info.nonce = nonce_;
  return info.Line();
}

void SocketClient::OnConnected() {
  auth_timeout_.Cancel();
  if (!measured_) ArmPing(std::min<Duration>(kFirstPing, engine().options().ping_interval));
}

void SocketClient::ArmPing(Duration delay) {
  const double jitter = static_cast<double>(delay.count()) * Dice::OfThread().Fraction() / 5;
  engine().loop().Arm(ping_, delay + Duration(static_cast<Duration::rep>(jitter)));
}

// Asks for a sign of life when there was none; the first time anyhow, for the round-trip time.
void SocketClient::SendPing() {
  const Options& options = engine().options();
  engine().loop().Arm(ping_, options.ping_interval);
  const bool quiet = !std::exchange(heard_, false);
  if (!quiet && measured_) return;
  if (pings_out_ + 1 > options.ping_max) {
    SendError("Stale Connection");
    return Close("Stale Connection");
  }
  ++pings_out_;
  measured_ = true;
  ping_sent_ = std::chrono::steady_clock::now();
  Send("PING\r\n");
}

void SocketClient::OnPong() {
  pings_out_ = 0;
  heard_ = false;  // an answer is no sign of its own
  if (ping_sent_ != TimePoint()) rtt_ = std::chrono::steady_clock::now() - ping_sent_;
  ping_sent_ = {};
}

void SocketClient::OnLost(std::string_view reason) {
  if (reason == "Slow Consumer (Write Deadline)") ++engine().counters().slow_consumers;
  out_.Clear();
  Close(reason);
}

void SocketClient::OnClosed() {
  auth_timeout_.Cancel();
  ping_.Cancel();
  if (!out_.empty() && !wire_.blocked()) wire_.Write(out_);
  wire_.Close(true);
  Client::OnClosed();
}

ClientStats SocketClient::Stats(bool subjects) const {
  ClientStats stats = Client::Stats(subjects);
  stats.ip = wire_.ip();
  stats.port = wire_.port();
  stats.start = start_;
  stats.rtt = rtt_;
  stats.tls = wire_.secure();
  return stats;
}

}  // namespace micro::natsd
