#include "server/standard/health.h"

#include <stop_token>
#include <utility>

#include "server/standard/health.micro.h"
#include "server/standard/known_as.h"

namespace micro::server {
namespace {

using standard::health::HealthCheckRequest;
using standard::health::HealthCheckResponse;
using standard::health::HealthListRequest;
using standard::health::HealthListResponse;

HealthCheckResponse Response(std::optional<bool> serving) {
  HealthCheckResponse response;
  response.set_status(!serving   ? HealthCheckResponse::SERVICE_UNKNOWN
                      : *serving ? HealthCheckResponse::SERVING
                                 : HealthCheckResponse::NOT_SERVING);
  return response;
}

// A bell on the board for as long as someone listens to it.
class Listening {
 public:
  Listening(HealthBoard& board, const Context& context)
      : board_(board), gone_(context.stop_token(), [bell = bell_] { bell->Ring(); }) {
    board_.Add(bell_);
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() { board_.Remove(bell_); }

  auto Rung() { return bell_->Rung(); }

 private:
  HealthBoard& board_;
  std::shared_ptr<runtime::Bell> bell_ = std::make_shared<runtime::Bell>(*EventLoop::Current());
  std::stop_callback<std::function<void()>> gone_;
};

class HealthHandler final : public KnownAs<standard::health::HealthAsyncHandler> {
 public:
  explicit HealthHandler(std::shared_ptr<HealthBoard> board)
      : KnownAs("grpc.health.v1.Health"), board_(std::move(board)) {}

  Task<Result<HealthCheckResponse>> Check(Context& /*context*/,
                                          HealthCheckRequest request) override {
    const auto serving = board_->Get(request.service());
    if (!serving) co_return NotFound("unknown service " + request.service());
    co_return Response(serving);
  }

  Task<Result<HealthListResponse>> List(Context& /*context*/,
                                        HealthListRequest /*request*/) override {
    HealthListResponse response;
    for (const auto& [service, serving] : board_->All()) {
      (*response.mutable_statuses())[service] = Response(serving);
    }
    co_return response;
  }

  Task<Status> Watch(Context& context, HealthCheckRequest request,
                     AsyncServerWriter<HealthCheckResponse> out) override {
    Listening listening(*board_, context);
    HealthCheckResponse told;
    while (!context.cancelled()) {
      const bool last = board_->closed();
      const HealthCheckResponse now = Response(board_->Get(request.service()));
      if (now.status() != told.status()) {
        told = now;
        if (!co_await out.Write(told)) break;
      } else if (last) {
        co_return Unavailable("the server is stopping");
      } else {
        co_await listening.Rung();
      }
    }
    co_return out.status();
  }

 private:
  std::shared_ptr<HealthBoard> board_;
};

}  // namespace

std::shared_ptr<Handler> MakeHealthHandler(std::shared_ptr<HealthBoard> board) {
  return std::make_shared<HealthHandler>(std::move(board));
}

}  // namespace micro::server
