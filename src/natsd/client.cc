#include "natsd/client.h"

#include <utility>

#include "natsd/engine.h"

namespace micro::natsd {
namespace {

// How long a publisher waits for a subscriber that has too much before it, and how often for what
// it sent in one go (nats-server 2.11: 2 to 5 ms, 10 ms together).
constexpr std::chrono::milliseconds kStall{5};
constexpr int kStallsOfInput = 2;

constexpr std::string_view kProtocolViolation = "Protocol Violation";

}  // namespace

Client::Client(Engine& engine)
    : Peer(engine, Kind::kClient),
      last_activity_(std::chrono::system_clock::now()),
      account_(&engine.DefaultAccount()),
      limits_{.max_control_line = engine.options().max_control_line,
              .max_payload = engine.options().max_payload},
      known_(!engine.authenticator().required()),
      info_seen_(engine.info_version()),
      stall_end_([this] { EndStall(); }) {
  // Nobody in particular, until CONNECT says who: what it sends ahead of that is taken already.
  if (known_) {
    if (const auto identity = engine.authenticator().Identify({}, {})) Admit(identity);
  }
}

Client::~Client() = default;

Wire::Taken Client::Consume(const SlabRef& slab, std::string_view bytes) {
  stalls_left_ = kStallsOfInput;
  last_activity_ = std::chrono::system_clock::now();
  Unit unit;
  std::string_view rest = bytes;
  std::size_t need = 0;
  while (!rest.empty() && MayGoOn()) {
    std::size_t size = 0;
    if (plain_ && ParsePublish(rest, limits_, last_subject_, unit, size)) {
      Publish(unit, slab);
      rest.remove_prefix(size);
      continue;
    }
    if (!known_ && IsStranger(rest)) {
      Violate();
      break;
    }
    const Parsed parsed = ParseUnit(rest, limits_, unit);
    if (parsed.outcome == Outcome::kMore) {
      need = parsed.size;
      break;
    }
    if (parsed.outcome != Outcome::kUnit) {
      Refuse(parsed.outcome);
      break;
    }
    if (engine().tracing()) Trace(unit);
    if (!Handle(unit, slab)) break;
    rest.remove_prefix(parsed.size);
  }
  return {.used = bytes.size() - rest.size(), .need = need};
}

// Who must show who it is says CONNECT first, and nothing else.
bool Client::IsStranger(std::string_view bytes) const {
  return bytes.front() != 'C' && bytes.front() != 'c';
}

bool Client::Handle(const Unit& unit, const SlabRef& slab) {
  switch (unit.op) {
    case Op::kPub:
    case Op::kHpub:
      if (unit.op == Op::kHpub && !headers_) {
        Close(kProtocolViolation);
        return false;
      }
      Publish(unit, slab);
      break;
    case Op::kSub:
      Subscribe(unit.args);
      break;
    case Op::kUnsub:
      Unsubscribe(unit.args);
      break;
    case Op::kPing:
      Ping();
      break;
    case Op::kPong:
      OnPong();
      break;
    case Op::kConnect:
      Connect(unit.args);
      break;
    case Op::kInfo:
    case Op::kOk:
      break;
    case Op::kErr:
      Close("Client Closed");
      break;
  }
  return !closing_;
}

void Client::Refuse(Outcome outcome) {
  ++engine().counters().protocol_errors;
  switch (outcome) {
    case Outcome::kUnknown:
      SendError("Unknown Protocol Operation");
      return Close("Parse Error");
    case Outcome::kLineTooLong:
      SendError("maximum control line exceeded");
      return Close("Maximum Control Line Exceeded");
    case Outcome::kPayloadTooLarge:
      SendError("Maximum Payload Violation");
      return Close("Maximum Message Payload Exceeded");
    default:
      return Close(kProtocolViolation);
  }
}

void Client::Violate() {
  ++engine().counters().auth_errors;
  SendError("Authorization Violation");
  Close("Authentication Failure");
}

void Client::Connect(std::string_view json) {
  if (!ReadConnect(json, options_)) return Close(kProtocolViolation);
  if (!options_.account.empty()) return Violate();
  if (options_.protocol < 0 || options_.protocol > 1) {
    SendError("invalid client protocol");
    return Close("Bad Client Protocol Version");
  }
  if (options_.no_responders && !options_.headers) {
    SendError("no responders requires headers support");
    return Close("No Responders Requires Headers");
  }
  Identify();
}

// A password's hash is slow to check on purpose: not while everybody waits.
void Client::Identify() {
  const Authenticator& authenticator = engine().authenticator();
  if (!authenticator.IsSlow(options_.credentials)) {
    return OnIdentified(authenticator.Identify(options_.credentials, nonce_));
  }
  auto work = [&engine = engine(), credentials = options_.credentials, nonce = nonce_,
               alive = std::weak_ptr(alive_), this] {
    auto identity = engine.authenticator().Identify(credentials, nonce);
    engine.loop().Post([alive, this, identity = std::move(identity)] {
      if (alive.expired() || closing()) return;
      identifying_ = false;
      OnIdentified(identity);
      if (!closing()) Resume();
    });
  };
  identifying_ = true;
  Pause();
  if (!engine().hasher().Do(std::move(work))) Violate();
}

void Client::OnIdentified(std::shared_ptr<const Identity> identity) {
  if (identity == nullptr) return Violate();
  Admit(std::move(identity));
  Welcome();
}

void Client::Admit(std::shared_ptr<const Identity> identity) {
  Account* account = engine().FindAccount(identity->account);
  if (account == nullptr) account = &engine().DefaultAccount();
  if (account != account_) {
    while (!subscriptions_.empty()) Remove(subscriptions_.begin());
    account_ = account;
    last_plan_ = nullptr;
  }
  identity_ = std::move(identity);
  may_publish_.clear();
  leaves_.reset();
  if (const auto& responses = identity_->rules.responses()) leaves_.emplace(*responses);
  learns_ = leaves_.has_value();
  restricted_ = identity_->rules.restricts_publishing();
}

void Client::AdmitTo(Account& account, ConnectOptions options) {
  account_ = &account;
  identity_ = nullptr;
  options_ = std::move(options);
  restricted_ = false;
  Welcome();
}

// CONNECT is right: what it says holds from here on.
void Client::Welcome() {
  known_ = true;
  connected_ = true;
  headers_ = options_.headers;
  if (echo_ != options_.echo) account_->sublist.Touch();
  echo_ = options_.echo;
  account_->sublist.Touch();  // plans know what it may receive
  plain_ = !options_.verbose && !options_.pedantic && !restricted_ && !engine().tracing();
  SayOk();
  OnConnected();
}

void Client::Ping() {
  OnPing();
  Send("PONG\r\n");
  if (ponged_) return;
  ponged_ = true;
  TellInfo();
}

void Client::TellInfo() {
  if (options_.protocol < 1 || !ponged_ || closing_) return;
  if (std::exchange(info_seen_, engine().info_version()) == engine().info_version()) return;
  Send(Info());
}

void Client::WaitFor(Peer& crowded) {
  if (stalls_left_ == 0 || stalled_ || crowded.closing() || &crowded == this) return;
  --stalls_left_;
  stalled_ = true;
  ++engine().counters().stalls;
  crowded.AddWaiting(id());
  engine().loop().Arm(stall_end_, kStall);
  Pause();
}

void Client::EndStall() {
  if (!std::exchange(stalled_, false)) return;
  stall_end_.Cancel();
  if (!closing_ && !identifying_) Resume();
}

void Client::TooMuch() {
  ++engine().counters().slow_consumers;
  engine().Log(LogLevel::kWarn, "slow consumer: client " + std::to_string(id()) + " had " +
                                    std::to_string(out_.pending()) + " bytes waiting");
  out_.Clear();
  Close("Slow Consumer (Pending Bytes)");
}

void Client::OnClosed() {
  while (!subscriptions_.empty()) Remove(subscriptions_.begin());
  stall_end_.Cancel();
}

ClientStats Client::Stats(bool subjects) const {
  ClientStats stats{.id = id(), .last_activity = last_activity_};
  stats.pending_bytes = out_.pending();
  stats.pinned_bytes = out_.pinned();
  stats.traffic = traffic_;
  stats.name = options_.name;
  stats.lang = options_.lang;
  stats.version = options_.version;
  stats.user = identity_ == nullptr ? "" : identity_->name;
  stats.account = account_->name;
  stats.subscriptions = subscriptions_.size();
  if (!subjects) return stats;
  for (const auto& [sid, subscription] : subscriptions_) {
    stats.subjects.push_back(subscription->subject);
  }
  return stats;
}

void Client::Trace(const Unit& unit) {
  std::string line = "client " + std::to_string(id()) + ": ";
  if (unit.op == Op::kConnect) {
    line += "CONNECT";  // with what it shows of itself left out
  } else if (unit.op == Op::kPub || unit.op == Op::kHpub) {
    line += "PUB " + std::string(unit.subject) + " " + std::to_string(unit.body.size());
  } else {
    line += std::string(unit.args);
  }
  engine().Log(LogLevel::kTrace, line);
}

}  // namespace micro::natsd
