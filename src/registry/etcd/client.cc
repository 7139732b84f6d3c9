#include "registry/etcd/client.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "base/dice.h"
#include "registry/etcd/nudge.h"
#include "registry/etcd/wire.pb.h"

namespace micro::etcd {
namespace {

using google::protobuf::MessageLite;
using std::chrono::steady_clock;

constexpr Duration kFirstWait = std::chrono::milliseconds(50);
// A server that hangs is given up after its share of the time, but not before.
constexpr Duration kLeastShare = std::chrono::milliseconds(500);
// After so many calls in a row without an answer a connection is given up, even to an only server:
// the network may have forgotten it.
constexpr int kMostSilences = 2;

Failure Named(const std::string& server, const Error& error) {
  return Fails(
      Error(error.code(), "etcd at " + server + ": " + error.detail()).set_phase(error.phase()));
}

Failure Cancelled() { return micro::Cancelled("the registry is closed"); }

}  // namespace

std::string Encode(const MessageLite& request) {
  std::string message(transport::kHeadroom, '\0');
  request.AppendToString(&message);
  return message;
}

Duration Backoff::Next(Duration most) {
  return micro::Backoff(kFirstWait, most, failures_++, Dice::OfThread().Fraction());
}

Client::Client(std::shared_ptr<Transport> transport, Options options)
    : transport_(std::move(transport)),
      options_(std::move(options)),
      turn_(Dice::OfThread().Below(options_.servers.size())) {
}  // so that callers spread over the servers

std::string Client::where() const {
  std::string text;
  for (const std::string& server : options_.servers) text += (text.empty() ? "" : ", ") + server;
  return text;
}

bool Client::ready() const { return connected() && (options_.username.empty() || token_); }

// The time that each server has, so that the others have some when it hangs.
Duration Client::Share() const {
  const auto share = options_.timeout / static_cast<std::int64_t>(options_.servers.size());
  return std::min(options_.timeout, std::max<Duration>(share, kLeastShare));
}

Failure Client::NoAnswer(const std::string& from) const {
  return DeadlineExceeded("etcd at " + from + " does not answer within " +
                          FormatDuration(options_.timeout));
}

Failure Client::TimedOut() const { return NoAnswer(server_.empty() ? where() : server_); }

Task<Status> Client::Call(std::string_view method, const MessageLite& request,
                          MessageLite& response, runtime::Patience patience) {
  patience = patience.Within(options_.timeout);
  Status status = Ok();
  bool logged_in = false;
  for (std::size_t attempt = 0; attempt <= options_.servers.size(); ++attempt) {
    if (Status ready = co_await Ready(patience); !ready) co_return ready;
    const std::uint64_t line = line_;
    status = co_await Exchange(method, request, response, patience.Within(Share()));
    const Remedy remedy = patience.over() ? Remedy::kNone : RemedyFor(status);
    if (remedy == Remedy::kNone) co_return status;
    if (remedy == Remedy::kOtherServer) Abandon(line);
    if (remedy == Remedy::kLogIn) {
      if (std::exchange(logged_in, true)) co_return status;
      ForgetToken();
    }
    if (steady_clock::now() >= patience.deadline) break;
  }
  co_return status;
}

// What might help with `status`. An only server that has trouble keeps its connection for a while,
// as there are others on it.
Client::Remedy Client::RemedyFor(const Status& status) const {
  if (status) return Remedy::kNone;
  const Error& error = status.error();
  if (error.code() == Code::kUnauthenticated || error.detail().contains("auth store is old") ||
      error.detail().contains("user name is empty")) {
    return options_.username.empty() ? Remedy::kNone : Remedy::kLogIn;
  }
  if (!connected() || error.phase() == Phase::kSend) return Remedy::kOtherServer;
  if (silences_ >= kMostSilences) return Remedy::kOtherServer;
  if (options_.servers.size() == 1) return Remedy::kNone;
  const bool away = error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded ||
                    error.phase() != Phase::kRemote;
  return away ? Remedy::kOtherServer : Remedy::kNone;
}

Task<Result<Client::Opened>> Client::Open(std::string_view method, runtime::Patience patience) {
  patience = patience.Within(options_.timeout);
  if (Status ready = co_await Ready(patience); !ready) co_return Failure(ready.error());
  transport::CallHead head = HeadOf(method);
  head.metadata.Add("hasleader", "true");  // a server that has lost its leader ends the stream
  co_return Opened{.stream = connection_->Open(head), .line = line_};
}

void Client::Abandon(std::uint64_t line) {
  if (line != line_ || !connection_) return;
  ++turn_;
  // One of its streams may be what led here.
  EventLoop::Current()->Post([dropped = std::exchange(connection_, nullptr)] {});
}

void Client::Close() {
  closed_ = true;
  Abandon(line_);
}

transport::CallHead Client::HeadOf(std::string_view method) const {
  transport::CallHead head{};
  head.path = "/etcdserverpb." + std::string(method);
  head.content_type = "application/grpc";
  head.authority = server_;
  if (token_ && !token_->empty()) head.metadata.Add("token", *token_);
  return head;
}

// All who come meanwhile wait for the same connection.
Task<Status> Client::Ready(runtime::Patience patience) {
  while (!ready()) {
    if (closed_) co_return Cancelled();
    std::shared_ptr<Preparation> preparation = preparation_;
    if (!preparation) {
      preparation = preparation_ = std::make_shared<Preparation>();
      Prepare(shared_from_this(), preparation);
    }
    runtime::Signal::Awaiter awaiter(preparation->done, patience);
    const bool in_time = co_await awaiter;
    if (patience.over()) co_return Cancelled();
    if (!in_time) co_return TimedOut();
    if (!preparation->outcome) co_return preparation->outcome;
  }
  co_return Ok();
}

// Holds on to the client: a dial may take longer than those who wait for it.
internal::Detached Client::Prepare(std::shared_ptr<Client> self, std::shared_ptr<Preparation> to) {
  Status outcome = Ok();
  for (std::size_t attempt = 0; attempt < self->options_.servers.size(); ++attempt) {
    if (!self->connected()) outcome = co_await self->Connect();
    if (!outcome) break;
    if (!self->ready()) outcome = co_await self->LogIn();
    if (self->closed_ || self->connected()) break;
  }
  self->preparation_ = nullptr;
  to->outcome = std::move(outcome);
  to->done.Set();
}

// Dials every server once, until one is there.
Task<Status> Client::Connect() {
  connection_ = nullptr;
  std::string troubles;
  for (std::size_t i = 0; i < options_.servers.size() && !closed_; ++i, ++turn_) {
    const std::string server = options_.servers[turn_ % options_.servers.size()];
    auto dialled = co_await transport_->Dial(server, Share());
    if (!dialled) {
      troubles += (troubles.empty() ? "" : "; ") + dialled.error().detail();
      continue;
    }
    if (closed_) co_return Cancelled();
    connection_ = *std::move(dialled);
    server_ = server;
    silences_ = 0;
    ++line_;
    co_return Ok();
  }
  co_return Fails(
      Error(Code::kUnavailable, "no etcd answers: " + troubles).set_phase(Phase::kConnect));
}

Task<Status> Client::LogIn() {
  const std::uint64_t line = line_;
  wire::AuthenticateRequest request;
  request.set_name(options_.username);
  request.set_password(options_.password);
  wire::AuthenticateResponse response;
  const runtime::Patience share = runtime::Patience{}.Within(Share());
  Status status = co_await Exchange("Auth/Authenticate", request, response, share);
  if (status) {
    token_ = response.token();
    co_return Ok();
  }
  if (status.error().detail().contains("authentication is not enabled")) {
    token_ = "";
    co_return Ok();
  }
  if (RemedyFor(status) == Remedy::kOtherServer) Abandon(line);
  co_return status;
}

Task<Status> Client::Exchange(std::string_view method, const MessageLite& request,
                              MessageLite& response, runtime::Patience patience) {
  transport::CallHead head = HeadOf(method);
  head.deadline = patience.deadline;
  const std::string server = server_;
  const transport::ClientStreamPtr stream = connection_->Open(head);
  std::string message = Encode(request);
  stream->Write(message);
  stream->CloseSend();
  Nudge nudge;
  bool answered = false;
  while (true) {
    const transport::Read read = stream->TryRead(message);
    if (read == transport::Read::kEnd) break;
    if (read == transport::Read::kMessage) {
      answered = response.ParseFromString(message);
      continue;
    }
    if (patience.over()) co_return Cancelled();
    if (steady_clock::now() >= patience.deadline) {
      ++silences_;
      co_return TimedOut();
    }
    stream->WaitReadable(nudge);
    Nudge::Awaiter awaiter(nudge, patience);
    co_await awaiter;
  }
  silences_ = 0;
  if (!stream->status()) co_return Named(server, stream->status().error());
  co_return answered ? Ok() : Status(Internal("the answer of etcd at " + server + " is none"));
}

}  // namespace micro::etcd
