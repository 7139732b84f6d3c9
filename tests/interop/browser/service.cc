// The service that a page in a browser calls (page.html).
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <micro/micro.h>

#include "browser/web.micro.h"

namespace {

using namespace std::chrono_literals;
using interop::web::Greeting;
using interop::web::Person;

Greeting Text(std::string text, int count = 0) {
  Greeting greeting;
  greeting.set_text(std::move(text));
  greeting.set_count(count);
  return greeting;
}

struct Web : interop::web::WebHandler {
  micro::Result<Greeting> Greet(micro::Context& context, const Person& person) override {
    context.response_metadata().Add("x-seen", context.metadata().Get("x-user").value_or("nobody"));
    context.trailers().Add("x-cost", "7");
    if (person.name() == "missing") return micro::NotFound("nobody of that name");
    return Text("Hello " + person.name());
  }

  micro::Status Stream(micro::Context& context, const Person& person,
                       micro::ServerWriter<Greeting>& out) override {
    bool there = out.Write(Text(person.name(), 0));
    while (there && !released(person.name())) {
      there = !context.cancelled();
      std::this_thread::sleep_for(1ms);
    }
    for (int i = 1; there && i - 1 != person.more(); ++i) there = out.Write(Text(person.name(), i));
    if (there) return micro::Ok();
    const std::lock_guard lock(mutex_);
    ++left_[person.name()];
    return out.status();
  }

  micro::Result<Greeting> Release(micro::Context&, const Person& person) override {
    const std::lock_guard lock(mutex_);
    released_.insert(person.name());
    return Greeting();
  }

  micro::Result<Greeting> Left(micro::Context&, const Person& person) override {
    const std::lock_guard lock(mutex_);
    return Text(person.name(), left_[person.name()]);
  }

 private:
  bool released(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return released_.contains(name);
  }

  std::mutex mutex_;
  std::set<std::string> released_;
  std::map<std::string, int> left_;
};

}  // namespace

int main(int argc, char** argv) {
  micro::Service service({.name = "interop.web"}, argc, argv);
  service.Handle(std::make_unique<Web>());
  return service.Run();
}
