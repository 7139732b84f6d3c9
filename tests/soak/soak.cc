// Mixed load for a while: calls of all kinds, cancelled, late, dropped, refused and reconnected,
// from clients that come and go. Prints the resident memory, and fails when it keeps growing or
// when a call that should succeed does not.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <micro/micro.h>

#include "testee.micro.h"

namespace {

using namespace std::chrono_literals;
using micro::Task;
using testee::Request;
using testee::Response;

class Unary final : public testee::TestAsyncHandler {
  Task<micro::Result<Response>> Call(micro::Context& context, Request request) override {
    if (request.name() == "slow") {
      while (!context.cancelled()) co_await micro::Sleep(5ms);
    }
    if (request.name() == "fail") co_return micro::Fails(micro::Code::kAborted, "as asked");
    Response response;
    response.set_payload(std::move(*request.mutable_payload()));
    co_return response;
  }
};

class Blocking final : public testee::StreamsHandler {
  micro::Result<Response> Collect(micro::Context&, micro::ServerReader<Request>& in) override {
    Response response;
    while (auto request = in.Read()) response.set_big_number(response.big_number() + 1);
    if (micro::Status status = in.status(); !status) return micro::Failure(status.error());
    return response;
  }
  micro::Status Expand(micro::Context&, const Request& request,
                       micro::ServerWriter<Response>& out) override {
    Response response;
    response.set_payload(request.payload());
    for (std::int64_t i = 0; i < request.big_number(); ++i) {
      if (!out.Write(response)) return out.status();
    }
    return micro::Ok();
  }
  micro::Status Talk(micro::Context&, micro::ServerStream<Request, Response>& stream) override {
    Response response;
    while (auto request = stream.Read()) {
      response.set_payload(request->payload());
      if (!stream.Write(response)) break;
    }
    return stream.status();
  }
};

// What the load has come to; shared by all of it.
struct Count {
  std::atomic<std::int64_t> calls{0};
  std::atomic<std::int64_t> messages{0};
  std::atomic<std::int64_t> wrong{0};
};

// One caller: it does one thing after the other until it is told to stop.
class Caller {
 public:
  Caller(micro::Client& client, const std::string& address, Count& count, unsigned seed)
      : test_("soak", client),
        streams_("soak", client),
        options_{.addresses = {&address, 1}},
        count_(count),
        random_(seed) {}

  Task<void> Run(std::atomic<bool>& stop, std::atomic<int>& left) {
    while (!stop) {
      co_await Step();
      count_.calls.fetch_add(1, std::memory_order_relaxed);
    }
    left.fetch_sub(1);
  }

 private:
  Task<void> Step() {
    switch (random_() % 8) {
      case 0:
        return Late();
      case 1:
        return Failing();
      case 2:
        return Collecting();
      case 3:
        return Expanding(false);
      case 4:
        return Expanding(true);
      case 5:
        return Talking(false);
      case 6:
        return Talking(true);
      default:
        return Answered();
    }
  }

  Request Filled(std::size_t most) {
    Request request;
    request.set_payload(std::string(random_() % most, 'x'));
    return request;
  }
  void Expect(bool good) {
    if (!good) count_.wrong.fetch_add(1);
  }

  Task<void> Answered() {
    Request request = Filled(random_() % 16 == 0 ? 1'000'000 : 2000);
    const std::size_t size = request.payload().size();
    micro::CallOptions options = options_;
    if (random_() % 4 == 0) options.compression = micro::Compression::kGzip;
    options.timeout = 60s;
    auto response = co_await test_.CallAsync(std::move(request), options);
    Expect(response && response->payload().size() == size);
  }

  Task<void> Late() {
    Request request;
    request.set_name("slow");
    micro::CallOptions options = options_;
    options.timeout = 5ms;
    auto response = co_await test_.CallAsync(std::move(request), options);
    Expect(!response && response.error().code() == micro::Code::kDeadlineExceeded);
  }

  Task<void> Failing() {
    Request request;
    request.set_name("fail");
    micro::CallOptions options = options_;
    options.timeout = 60s;
    auto response = co_await test_.CallAsync(std::move(request), options);
    Expect(!response && response.error().code() == micro::Code::kAborted);
  }

  Task<void> Collecting() {
    auto writer = streams_.CollectAsync(options_);
    const Request request = Filled(3000);
    for (int i = 0; i < 20; ++i) co_await writer.Write(request);
    auto response = co_await writer.Finish();
    Expect(response && response->big_number() == 20);
    count_.messages.fetch_add(20, std::memory_order_relaxed);
  }

  Task<void> Expanding(bool drop) {
    Request request = Filled(3000);
    request.set_big_number(50);
    auto reader = streams_.ExpandAsync(request, options_);
    Response response;
    int read = 0;
    while (co_await reader.Read(response)) {
      if (++read == 10 && drop) co_return;
    }
    const micro::Status status = co_await reader.Finish();
    Expect(drop || (status && read == 50));
    count_.messages.fetch_add(read, std::memory_order_relaxed);
  }

  Task<void> Talking(bool cancel) {
    auto stream = streams_.TalkAsync(options_);
    const Request request = Filled(3000);
    Response response;
    for (int i = 0; i < 10; ++i) {
      co_await stream.Write(request);
      const bool came = co_await stream.Read(response);
      Expect(came);
      if (i == 5 && cancel) stream.Cancel();
      if (i == 5 && cancel) break;
    }
    const micro::Status status = co_await stream.Finish();
    Expect(cancel ? !status : status.has_value());
    count_.messages.fetch_add(10, std::memory_order_relaxed);
  }

  testee::TestClient test_;
  testee::StreamsClient streams_;
  micro::CallOptions options_;
  Count& count_;
  std::minstd_rand random_;
};

// A client with its own connections, for a few seconds.
void RunClient(const std::string& address, Count& count, unsigned seed, std::chrono::seconds time) {
  micro::Service service({.name = "soak.client", .registry = "memory", .loops = 1});
  constexpr int kCallers = 8;
  std::atomic<bool> stop = false;
  std::atomic<int> left = kCallers;
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.push_back(std::make_unique<Caller>(service.client(), address, count, seed * 100 + i));
    micro::Spawn(service.runtime().loop(0), callers.back()->Run(stop, left));
  }
  std::this_thread::sleep_for(time);
  stop = true;
  while (left > 0) std::this_thread::sleep_for(1ms);
}

long ResidentKiB() {
  std::ifstream statm("/proc/self/statm");
  long size = 0;
  long resident = 0;
  statm >> size >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

long Median(std::vector<long> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<long>(values.size() / 2));
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  int seconds = 600;
  micro::Service service(
      {.name = "soak",
       .address = "127.0.0.1:0",
       .registry = "memory",
       .loops = 2,
       .flags = {{.name = "seconds", .help = "how long to go on", .value = &seconds}}},
      argc, argv);
  service.Handle(std::make_shared<Unary>());
  service.Handle(std::make_shared<Blocking>());
  if (micro::Status started = service.Start(); !started) return micro::Fail(started.error());
  const std::string address = service.address();
  Count count;
  std::atomic<bool> stop = false;
  std::vector<std::jthread> clients;
  for (unsigned i = 0; i < 2; ++i) {
    clients.emplace_back([&, i] {
      for (unsigned turn = 1; !stop; ++turn) RunClient(address, count, turn * 2 + i, 3s);
    });
  }
  std::vector<long> resident;
  std::printf("seconds,resident_kib,calls,stream_messages,wrong\n");
  for (int second = 1; second <= seconds; ++second) {
    std::this_thread::sleep_for(1s);
    resident.push_back(ResidentKiB());
    if (second % std::max(1, seconds / 60) != 0) continue;
    std::printf("%d,%ld,%lld,%lld,%lld\n", second, resident.back(),
                static_cast<long long>(count.calls), static_cast<long long>(count.messages),
                static_cast<long long>(count.wrong));
    std::fflush(stdout);
  }
  stop = true;
  clients.clear();
  service.Stop();
  // The first fifth is for warming up; a leak shows as growth between the rest's two halves.
  const auto begin = resident.begin() + static_cast<long>(resident.size() / 5);
  const auto middle = begin + (resident.end() - begin) / 2;
  const long before = Median({begin, middle});
  const long after = Median({middle, resident.end()});
  std::printf("resident, median of the two halves: %ld KiB, %ld KiB; %lld calls, %lld wrong\n",
              before, after, static_cast<long long>(count.calls),
              static_cast<long long>(count.wrong));
  // Less than a minute is all warming up.
  const bool flat = seconds < 60 || after < before + before / 10 + 4096;
  if (!flat) std::printf("the memory grows\n");
  return flat && count.wrong == 0 && count.calls > 0 ? 0 : 1;
}
