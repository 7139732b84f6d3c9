#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/micro.h>
#include <micro/testing/registry_conformance.h>

#include "testee.micro.h"

// Services that find each other and nobody else, and what the tests say to them.
namespace micro::e2e {

using namespace std::chrono_literals;
using testee::Request;
using testee::Response;
using testing::Eventually;
using Reply = Result<Response>;

/// Serves Test with one function, on worker threads.
struct BlockingTest final : testee::TestHandler {
  using Serve = std::function<Reply(Context&, const Request&)>;
  explicit BlockingTest(Serve function) : serve(std::move(function)) {}
  Reply Call(Context& context, const Request& request) override { return serve(context, request); }
  Reply Look(Context& context, const Request& request) override { return serve(context, request); }
  Serve serve;
};

/// Serves Test with one coroutine.
struct AsyncTest final : testee::TestAsyncHandler {
  using Serve = std::function<Task<Reply>(Context&, Request)>;
  explicit AsyncTest(Serve function) : serve(std::move(function)) {}
  Task<Reply> Call(Context& context, Request request) override {
    return serve(context, std::move(request));
  }
  Task<Reply> Look(Context& context, Request request) override {
    return serve(context, std::move(request));
  }
  Serve serve;
};

inline std::shared_ptr<Handler> Blocking(BlockingTest::Serve serve) {
  return std::make_shared<BlockingTest>(std::move(serve));
}
inline std::shared_ptr<Handler> Async(AsyncTest::Serve serve) {
  return std::make_shared<AsyncTest>(std::move(serve));
}

inline Request Named(std::string name) {
  Request request;
  request.set_name(std::move(name));
  return request;
}
inline Response Text(std::string text) {
  Response response;
  response.set_text(std::move(text));
  return response;
}

/// "Hello NAME", and all else as it came.
Reply Echo(Context& context, const Request& request);

/// What blocks threads until it is opened, for good. Copies are one gate: handlers hold their own,
/// as they may run for longer than the test that made it.
class Gate {
 public:
  void Open() const;
  /// False when nobody has opened it for long.
  bool Wait() const;

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A logger that keeps its lines.
class LogLines final : public Logger {
 public:
  bool Enabled(LogLevel /*level*/) const override { return true; }
  void Write(LogLevel level, std::string_view message) override;
  /// Whether a line of `level` contains `text`.
  bool Has(LogLevel level, std::string_view text) const;
  /// How many lines contain `text`.
  std::size_t Count(std::string_view text) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

/// Tests with services on one transport; the parameter is its name.
class FleetTest : public ::testing::TestWithParam<std::string> {
 protected:
  FleetTest() : FleetTest(GetParam()) {}
  explicit FleetTest(std::string transport) : transport_(std::move(transport)) {}

  /// Options of a service of this fleet.
  ServiceOptions Options(std::string name = "test") const;
  /// Makes a service that is yet to be started.
  Service& Make(ServiceOptions options);
  /// Starts a service; it is stopped at the test's end at the latest.
  Service& Serve(std::shared_ptr<Handler> handler);
  Service& Serve(std::shared_ptr<Handler> handler, ServiceOptions options);
  void Stop(Service& service);

  /// The calling service, made at the first use from `caller_options_`.
  Service& caller();
  testee::TestClient test() { return {"test", caller().client()}; }
  Reply Call(const Request& request, CallOptions options = {}) {
    return test().Call(request, std::move(options));
  }
  /// The error of a call that has to fail.
  Error CallFails(const Request& request, CallOptions options = {});

  std::string transport_;
  Plugins plugins_ = DefaultPlugins();
  std::shared_ptr<LogLines> log_ = std::make_shared<LogLines>();
  ServiceOptions caller_options_ = Options("caller");
  std::unique_ptr<Service> caller_;
  std::vector<std::unique_ptr<Service>> services_;
};

/// Tests that are about sockets.
class GrpcFleetTest : public FleetTest {
 protected:
  GrpcFleetTest() : FleetTest("grpc") {}
};

inline std::string ParamName(const ::testing::TestParamInfo<std::string>& info) {
  return info.param;
}

}  // namespace micro::e2e
