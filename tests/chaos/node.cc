#include <micro/micro.h>

#include "testee.micro.h"

// A node that takes a moment for everything, so that there are always calls under way.
namespace {

using namespace std::chrono_literals;
using micro::Result;
using micro::Status;
using micro::Task;

struct Test final : testee::TestAsyncHandler {
  Task<Result<testee::Response>> Call(micro::Context& /*context*/,
                                      testee::Request request) override {
    return Answer(std::move(request));
  }
  Task<Result<testee::Response>> Look(micro::Context& /*context*/,
                                      testee::Request request) override {
    return Answer(std::move(request));
  }

  static Task<Result<testee::Response>> Answer(testee::Request request) {
    co_await micro::Sleep(5ms);
    testee::Response response;
    response.set_text(request.name());
    co_return response;
  }
};

struct Streams final : testee::StreamsAsyncHandler {
  Task<Status> Expand(micro::Context& /*context*/, testee::Request request,
                      micro::AsyncServerWriter<testee::Response> out) override {
    testee::Response response;
    for (std::int64_t i = 0; i < request.big_number(); ++i) {
      co_await micro::Sleep(2ms);
      response.set_big_number(i);
      const bool written = co_await out.Write(response);
      if (!written) co_return out.status();
    }
    co_return micro::Ok();
  }
};

}  // namespace

int main(int argc, char** argv) {
  micro::Service service({.name = "chaos", .address = "127.0.0.1:0", .loops = 1}, argc, argv);
  service.Handle(std::make_shared<Test>());
  service.Handle(std::make_shared<Streams>());
  return service.Run();
}
