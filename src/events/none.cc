#include "events/none.h"

#include <utility>

namespace micro {
namespace {

class NoEvents final : public Events {
 public:
  explicit NoEvents(Error why) : why_(std::move(why)) {}

  std::string_view name() const override { return "none"; }
  Status Connect() override { return Failure(why_); }
  Result<Stored> Append(std::string_view /*topic*/, RawMessage /*message*/,
                        AppendOptions /*options*/) override {
    return Failure(why_);
  }
  Result<Subscription> Consume(const std::string& /*topic*/, ConsumeOptions /*options*/,
                               Consumer /*consumer*/) override {
    return Failure(why_);
  }

 private:
  const Error why_;
};

}  // namespace

Result<std::shared_ptr<Events>> MakeNoEvents(Status why) {
  if (!why) return std::make_shared<NoEvents>(std::move(why.error()));
  return std::make_shared<NoEvents>(
      Error(Code::kFailedPrecondition, "no event store was chosen (--events)"));
}

}  // namespace micro
