#include "server/standard/load.h"

#include <utility>

#include "selector/load.micro.h"
#include "server/standard/known_as.h"

namespace micro::server {
namespace {

using standard::load::LoadRequest;
using standard::load::LoadResponse;

class LoadHandler final : public KnownAs<standard::load::LoadAsyncHandler> {
 public:
  explicit LoadHandler(std::function<std::uint32_t()> in_flight)
      : KnownAs("micro.Load"), in_flight_(std::move(in_flight)) {}

  Task<Result<LoadResponse>> Get(Context& /*context*/, LoadRequest /*request*/) override {
    LoadResponse response;
    response.set_in_flight(in_flight_());
    co_return response;
  }

 private:
  std::function<std::uint32_t()> in_flight_;
};

}  // namespace

std::shared_ptr<Handler> MakeLoadHandler(std::function<std::uint32_t()> in_flight) {
  return std::make_shared<LoadHandler>(std::move(in_flight));
}

}  // namespace micro::server
