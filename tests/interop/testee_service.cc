// A service for the clients of others (gomicro/client), written as a user writes one.
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <micro/micro.h>

#include "testee.micro.h"

namespace {

using namespace std::chrono_literals;

struct Testee : interop::TesteeHandler {
  micro::Result<interop::Note> Echo(micro::Context& context, const interop::Note& note) override {
    while (note.name() == "slow" && !context.cancelled()) std::this_thread::sleep_for(1ms);
    interop::Note answer = note;
    answer.set_echo(std::string(context.metadata().Get("x-echo").value_or("")));
    return answer;
  }

  micro::Result<interop::Note> Fail(micro::Context&, const interop::Failure& asked) override {
    if (asked.constructor() == "panic") throw std::runtime_error(asked.detail());
    if (asked.id().empty()) return micro::Fails(micro::FromHttp(asked.code()), asked.detail());
    return micro::Fails(micro::Error::FromHttpCode(asked.id(), asked.code(), asked.detail()));
  }
};

}  // namespace

int main(int argc, char** argv) {
  micro::Service service({.name = "interop.testee"}, argc, argv);
  service.Handle(std::make_unique<Testee>());
  return service.Run();
}
