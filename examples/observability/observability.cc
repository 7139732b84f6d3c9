// Health, metrics and spans of a service, in one program.
#include <cstdio>
#include <latch>
#include <memory>
#include <mutex>
#include <string>

#include <micro/micro.h>

#include "helloworld.micro.h"

using helloworld::Request;
using helloworld::Response;

// [counter]
struct Greeter : helloworld::GreeterHandler {
  explicit Greeter(micro::Metrics& metrics)
      : greeted(metrics.GetCounter("greeted_total", "People greeted")) {}
  micro::Result<Response> Hello(micro::Context& context, const Request& request) override {
    greeted.Add();
    context.attributes().Add("greeter.name", request.name());  // goes with the span
    Response response;
    response.set_greeting("Hello " + request.name());
    return response;
  }
  micro::Counter& greeted;
};
// [/counter]

// [spans]
// Writes a line for each span; one for OpenTelemetry would fill a batch that a thread sends.
struct Lines {
  void Write(const micro::Span& span) {
    const std::lock_guard lock(mutex);
    const bool served = span.kind == micro::SpanKind::kServer;
    text += std::string(served ? "served " : "called ") + std::string(span.path) + " " +
            std::string(micro::ToString(span.code)) + " in " + span.trace.trace_id() + "\n";
    both_ends.count_down();
  }
  std::mutex mutex;
  std::string text;
  std::latch both_ends{2};
};
// [/spans]

int main(int argc, char** argv) {
  Lines lines;
  micro::Service service({.name = "greeter",
                          .address = "127.0.0.1:0",
                          .registry = "memory",
                          .spans = [&lines](const micro::Span& span) { lines.Write(span); }},
                         argc, argv);
  service.Handle(std::make_shared<Greeter>(service.metrics()));
  if (auto status = service.Start(); !status) return micro::Fail(status.error());

  const helloworld::GreeterClient greeter("greeter", service.client());
  Request request;
  request.set_name("John");
  if (auto response = greeter.Hello(request); !response) return micro::Fail(response.error());
  lines.both_ends.wait();
  const std::size_t one = lines.text.find(" in ");
  const std::size_t other = lines.text.rfind(" in ");
  const bool same = lines.text.substr(one, 36) == lines.text.substr(other, 36);
  std::printf("%stwo ends of %s trace\n", lines.text.c_str(), same ? "one" : "no");

  const std::string page = service.metrics().Text();
  const std::size_t line = page.find("\ngreeted_total");
  std::printf("%s\n", page.substr(line + 1, page.find('\n', line + 1) - line - 1).c_str());

  // [health]
  service.health().Set("", false);               // the service as a whole
  service.health().Set("greeter.words", false);  // or any part of it that others may ask after
  // [/health]
  std::printf("%s\n", *service.health().Get("") ? "serving" : "not serving");
  return 0;
}
