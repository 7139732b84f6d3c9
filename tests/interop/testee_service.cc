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

  micro::Status Count(micro::Context&, const interop::Note& to,
                      micro::ServerWriter<interop::Note>& stream) override {
    if (to.big_number() < 0) {
      return micro::InvalidArgument("cannot count to " + std::to_string(to.big_number()));
    }
    interop::Note note = to;
    for (std::int64_t i = 1; i <= to.big_number(); ++i) {
      note.set_big_number(i);
      if (!stream.Write(note)) return stream.status();
    }
    return micro::Ok();
  }

  micro::Status Chat(micro::Context&,
                     micro::ServerStream<interop::Note, interop::Note>& stream) override {
    while (const auto note = stream.Read()) {
      if (note->name() == "fail") return micro::AlreadyExists("told to fail");
      if (!stream.Write(*note)) break;
    }
    return stream.status();
  }
};

}  // namespace

int main(int argc, char** argv) {
  micro::Service service({.name = "interop.testee"}, argc, argv);
  service.Handle(std::make_unique<Testee>());
  return service.Run();
}
