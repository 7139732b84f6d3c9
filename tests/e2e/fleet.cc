#include "fleet.h"

#include <algorithm>

namespace micro::testing {
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RegistryConformance);  // only its Eventually is used
}  // namespace micro::testing

namespace micro::e2e {

Reply Echo(Context& /*context*/, const Request& request) {
  Response response = Text("Hello " + request.name());
  response.set_big_number(request.big_number());
  response.set_payload(request.payload());
  return response;
}

void Gate::Open() const {
  const std::lock_guard lock(state_->mutex);
  state_->open = true;
  state_->opened.notify_all();
}

bool Gate::Wait() const {
  std::unique_lock lock(state_->mutex);
  return state_->opened.wait_for(lock, 30s, [this] { return state_->open; });
}

void LogLines::Write(LogLevel level, std::string_view message) {
  const std::lock_guard lock(mutex_);
  lines_.emplace_back(level, message);
}

bool LogLines::Has(LogLevel level, std::string_view text) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(lines_, [&](const auto& line) {
    return line.first == level && line.second.find(text) != std::string::npos;
  });
}

std::size_t LogLines::Count(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(
      lines_, [&](const auto& line) { return line.second.find(text) != std::string::npos; }));
}

ServiceOptions FleetTest::Options(std::string name) const {
  ServiceOptions options;
  options.name = std::move(name);
  options.address = "127.0.0.1:0";
  options.registry = "memory";
  options.transport = transport_;
  options.loops = 2;
  options.drain_timeout = 10s;
  options.plugins = plugins_;
  options.logger = log_;
  return options;
}

Service& FleetTest::Make(ServiceOptions options) {
  return *services_.emplace_back(std::make_unique<Service>(std::move(options)));
}

Service& FleetTest::Serve(std::shared_ptr<Handler> handler) {
  return Serve(std::move(handler), Options());
}

Service& FleetTest::Serve(std::shared_ptr<Handler> handler, ServiceOptions options) {
  Service& service = Make(std::move(options));
  service.Handle(std::move(handler));
  const Status started = service.Start();
  EXPECT_TRUE(started) << started.error().ToString();
  return service;
}

void FleetTest::Stop(Service& service) {
  std::erase_if(services_, [&](const auto& one) { return one.get() == &service; });
}

Service& FleetTest::caller() {
  if (!caller_) {
    caller_ = std::make_unique<Service>(caller_options_);
    EXPECT_TRUE(caller_->status());
  }
  return *caller_;
}

Error FleetTest::CallFails(const Request& request, CallOptions options) {
  const Reply reply = Call(request, std::move(options));
  EXPECT_FALSE(reply) << reply->ShortDebugString();
  return reply ? Error(Code::kOk, "the call succeeded") : reply.error();
}

}  // namespace micro::e2e
