// Our own client against a Greeter of others (server/main.go): a line for each case.
//
//     interop-micro-client --server_address=HOST:PORT
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <micro/micro.h>

#include "cases.h"
#include "helloworld.micro.h"

namespace {

using namespace std::chrono_literals;
using interop::Case;
using interop::Complaint;

/// Calls one address.
struct Peer {
  helloworld::GreeterClient greeter;
  std::string address;
  std::shared_ptr<micro::Compression> received;  // how the last answer was compressed

  micro::Result<helloworld::Response> Hello(const std::string& name,
                                            micro::CallOptions options = {}) const {
    helloworld::Request request;
    request.set_name(name);
    options.addresses = {&address, 1};
    return greeter.Hello(request, options);
  }
};

Complaint Greet(const Peer& peer, const std::string& name, micro::CallOptions options = {}) {
  const auto response = peer.Hello(name, options);
  if (!response) return response.error().ToString();
  if (response->greeting() != "Hello " + name) return "greeting is " + response->greeting();
  return {};
}

Complaint Expect(micro::Code code, const micro::Result<helloworld::Response>& response) {
  if (response) return "an answer instead of an error: " + response->greeting();
  if (response.error().code() == code) return {};
  return std::string(ToString(code)) + " expected, not " + response.error().ToString();
}

Complaint Greeting(const Peer& peer) { return Greet(peer, "John"); }

Complaint Json(const Peer& peer) {
  return Greet(peer, "J\u00f6hn", {.content_type = "application/json"});
}

Complaint Large(const Peer& peer) { return Greet(peer, std::string(1U << 20U, 'x')); }

// grpc-go answers compressed what came compressed.
Complaint Gzip(const Peer& peer) {
  *peer.received = micro::Compression::kNone;
  const Complaint complaint =
      Greet(peer, std::string(1U << 20U, 'x'), {.compression = micro::Compression::kGzip});
  if (!complaint.empty()) return complaint;
  return *peer.received == micro::Compression::kGzip ? "" : "the answer was not compressed";
}

Complaint Missing(const Peer& peer) {
  const auto response = peer.Hello("missing");
  const Complaint complaint = Expect(micro::Code::kNotFound, response);
  if (!complaint.empty()) return complaint;
  if (response.error().phase() != micro::Phase::kRemote) return "the phase is not \"remote\"";
  const std::string detail = "nobody is called missing: 100% sure, se\u00f1or";
  return response.error().detail() == detail ? "" : "detail is " + response.error().detail();
}

Complaint Deadline(const Peer& peer) {
  const auto start = std::chrono::steady_clock::now();
  const Complaint complaint =
      Expect(micro::Code::kDeadlineExceeded, peer.Hello("slow", {.timeout = 200ms}));
  if (!complaint.empty()) return complaint;
  if (std::chrono::steady_clock::now() - start > 5s) return "it took too long";
  return Greeting(peer);
}

Complaint Came(const micro::Metadata& metadata, std::string_view where) {
  const std::string binary("\0\xff\n", 3);
  if (metadata.Get("x-echo") != "ann") return "x-echo is not " + std::string(where);
  if (metadata.Get("x-echo-bin") != binary) return "x-echo-bin is not " + std::string(where);
  return {};
}

Complaint Metadata(const Peer& peer) {
  micro::CallInfo info;
  const micro::Metadata sent = {{"X-Echo", "ann"}, {"x-echo-bin", std::string_view("\0\xff\n", 3)}};
  const Complaint complaint = Greet(peer, "John", {.metadata = &sent, .info = &info});
  if (!complaint.empty()) return complaint;
  const Complaint ahead = Came(info.response_metadata, "ahead of the answer");
  return ahead.empty() ? Came(info.trailers, "behind the answer") : ahead;
}

Complaint Crowd(const Peer& peer) {
  constexpr int kThreads = 50;
  constexpr int kCalls = 10;
  std::atomic<int> failed{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < kCalls; ++call) failed += Greeting(peer).empty() ? 0 : 1;
    });
  }
  threads.clear();
  return failed == 0 ? "" : std::to_string(failed) + " calls failed";
}

}  // namespace

int main(int argc, char** argv) {
  micro::Service service({.name = "interop.client", .registry = "memory"}, argc, argv);
  if (!service.status()) return micro::Fail(service.status().error());
  const auto received = std::make_shared<micro::Compression>();
  service.UseClient(
      [received](micro::Context& context, micro::Next next) -> micro::Task<micro::Status> {
        micro::Status status = co_await next(context);
        *received = context.received_compression();
        co_return status;
      });
  const Peer peer{.greeter = helloworld::GreeterClient("helloworld", service.client()),
                  .address = service.options().address,
                  .received = received};
  const std::vector<Case> cases{
      {"greeting", [&] { return Greeting(peer); }},
      {"json", [&] { return Json(peer); }},
      {"1 MiB", [&] { return Large(peer); }},
      {"gzip", [&] { return Gzip(peer); }},
      {"an error of theirs", [&] { return Missing(peer); }},
      {"deadline", [&] { return Deadline(peer); }},
      {"metadata", [&] { return Metadata(peer); }},
      {"500 calls, 50 at once", [&] { return Crowd(peer); }},
  };
  return interop::RunAll(cases);
}
