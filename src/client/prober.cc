#include "client/prober.h"

#include <utility>

#include "client/readable.h"
#include "selector/load.pb.h"

namespace micro::client {
namespace {

// What comes later is of no use to anyone.
constexpr std::chrono::seconds kPatience{1};

transport::CallHead HeadOf(const std::string& address, TimePoint deadline) {
  transport::CallHead head;
  head.path = "/micro.Load/Get";
  head.content_type = "application/grpc+proto";
  head.authority = address;
  head.deadline = deadline;
  return head;
}

Result<std::uint32_t> Decode(const std::string& message) {
  standard::load::LoadResponse response;
  if (!response.ParseFromString(message)) return Internal("the answer cannot be read");
  return response.in_flight();
}

}  // namespace

void Probes::Ask(const std::string& address, LoadProber::Told told) {
  if (closed_) return told(Cancelled("the client is closed"));
  Run(shared_from_this(), address, std::move(told));
}

void Probes::Close() {
  closed_ = true;
  while (!under_way_.empty()) {
    Question& question = under_way_.front();
    under_way_.pop_front();
    question.interrupter.Pull();
  }
}

internal::Detached Probes::Run(std::shared_ptr<Probes> self, std::string address,
                               LoadProber::Told told) {
  Question question;
  self->under_way_.push_back(question);
  const runtime::Patience patience =
      runtime::Patience{.interrupter = &question.interrupter}.Within(kPatience);
  auto answer = co_await self->Exchange(std::move(address), patience);
  told(std::move(answer));
}

// The stream is read to its end: one that is let go before is reset.
Task<Result<std::uint32_t>> Probes::Exchange(std::string address, runtime::Patience patience) {
  auto opened = co_await Open(std::move(address), patience);
  if (!opened) co_return Failure(opened.error());
  const transport::ClientStreamPtr stream = *std::move(opened);
  Result<std::uint32_t> answer = Internal("there was no answer");
  while (true) {
    std::string message;
    Readable readable(*stream, message, patience);
    const transport::Read read = co_await readable;
    if (read == transport::Read::kPending) co_return DeadlineExceeded("no answer came in time");
    if (read == transport::Read::kEnd) break;
    answer = Decode(message);
  }
  if (!stream->status()) co_return Failure(stream->status().error());
  co_return answer;
}

// Does not hold on to the connection: whoever closes it ends the stream.
Task<Result<transport::ClientStreamPtr>> Probes::Open(std::string address,
                                                      runtime::Patience patience) {
  std::shared_ptr<transport::Connection> connection = pool_->Ready(address);
  if (!connection) {
    auto dialled = co_await pool_->Get(address, patience);
    if (!dialled) co_return Failure(dialled.error());
    connection = *std::move(dialled);
  }
  transport::ClientStreamPtr stream = connection->Open(HeadOf(address, patience.deadline));
  std::string request(transport::kHeadroom, '\0');
  stream->Write(request);
  stream->CloseSend();
  co_return stream;
}

// Behind the call that asks, which goes first.
void Prober::Ask(const Node& node, Told told) {
  EventLoop* const loop = EventLoop::Current();
  const auto found = loops_.find(loop);
  const auto probes = found != loops_.end() ? found->second.lock() : nullptr;
  if (!probes) return told(FailedPrecondition("this thread has no connections"));
  loop->Post([probes, address = node.address, told = std::move(told)]() mutable {
    probes->Ask(address, std::move(told));
  });
}

}  // namespace micro::client
