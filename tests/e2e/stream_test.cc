#include <atomic>
#include <fstream>
#include <future>
#include <optional>
#include <thread>

#include "base/pool.h"
#include "fleet.h"

namespace micro::e2e {
namespace {

// What all handlers here count and obey.
struct Seen {
  std::atomic<int> entered = 0;
  std::atomic<int> left = 0;
  std::atomic<int> written = 0;
  std::atomic<int> ended = 0;  // with another status than OK
  std::atomic<int> code = -1;  // of the latest
};

Status Tell(Seen& seen, Status status) {
  if (!status) {
    seen.code = static_cast<int>(status.error().code());
    ++seen.ended;
  }
  ++seen.left;
  return status;
}

struct BlockingStreams final : testee::StreamsHandler {
  explicit BlockingStreams(Seen& counts) : seen(counts) {}
  Status Expand(Context& context, const Request& request, ServerWriter<Response>& out) override {
    ++seen.entered;
    if (request.name() == "fail") return Tell(seen, NotFound("nobody of that name"));
    context.response_metadata().Add("x-head", "h");
    context.trailers().Add("x-tail", "t");
    Response response = Text(request.name());
    response.set_payload(request.payload());
    for (std::int64_t i = 0; i != request.big_number(); ++i) {
      response.set_big_number(i);
      if (!out.Write(response)) return Tell(seen, out.status());
      ++seen.written;
    }
    return Tell(seen, Ok());
  }
  Reply Collect(Context& context, ServerReader<Request>& in) override {
    ++seen.entered;
    context.trailers().Add("x-tail", "t");
    Response response;
    while (auto request = in.Read()) {
      if (request->name() == "stop") return Fails(Code::kAborted, "stopped");
      response.set_text(response.text() + request->name());
      response.set_big_number(response.big_number() + 1);
    }
    if (Status status = Tell(seen, in.status()); !status) return Failure(status.error());
    return response;
  }
  Status Talk(Context&, ServerStream<Request, Response>& stream) override {
    ++seen.entered;
    while (auto request = stream.Read()) {
      if (request->name() == "stop") return Fails(Code::kAborted, "stopped");
      if (!stream.Write(Text("re: " + request->name()))) break;
      ++seen.written;
    }
    return Tell(seen, stream.status());
  }
  Seen& seen;
};

struct AsyncStreams final : testee::StreamsAsyncHandler {
  explicit AsyncStreams(Seen& counts) : seen(counts) {}
  Task<Status> Expand(Context& context, Request request, AsyncServerWriter<Response> out) override {
    ++seen.entered;
    if (request.name() == "fail") co_return Tell(seen, NotFound("nobody of that name"));
    context.response_metadata().Add("x-head", "h");
    context.trailers().Add("x-tail", "t");
    Response response = Text(request.name());
    response.set_payload(request.payload());
    for (std::int64_t i = 0; i != request.big_number(); ++i) {
      response.set_big_number(i);
      if (!co_await out.Write(response)) co_return Tell(seen, out.status());
      ++seen.written;
    }
    co_return Tell(seen, Ok());
  }
  Task<Reply> Collect(Context& context, AsyncServerReader<Request> in) override {
    ++seen.entered;
    context.trailers().Add("x-tail", "t");
    Response response;
    while (auto request = co_await in.Read()) {
      if (request->name() == "stop") co_return Fails(Code::kAborted, "stopped");
      response.set_text(response.text() + request->name());
      response.set_big_number(response.big_number() + 1);
    }
    if (Status status = Tell(seen, in.status()); !status) co_return Failure(status.error());
    co_return response;
  }
  Task<Status> Talk(Context&, AsyncServerStream<Request, Response> stream) override {
    ++seen.entered;
    Request request;
    while (co_await stream.Read(request)) {
      if (request.name() == "stop") co_return Fails(Code::kAborted, "stopped");
      if (!co_await stream.Write(Text("re: " + request.name()))) break;
      ++seen.written;
    }
    co_return Tell(seen, stream.status());
  }
  Seen& seen;
};

Request Count(std::int64_t count, std::string name = "") {
  Request request = Named(std::move(name));
  request.set_big_number(count);
  return request;
}

// The parameter is the transport and the handler's face: "grpc_async".
class StreamTest : public FleetTest {
 protected:
  StreamTest() : FleetTest(GetParam().substr(0, GetParam().find('_'))) {}

  std::shared_ptr<Handler> MakeHandler() {
    if (GetParam().ends_with("_async")) return std::make_shared<AsyncStreams>(seen_);
    return std::make_shared<BlockingStreams>(seen_);
  }
  Service& ServeStreams() { return Serve(MakeHandler()); }
  testee::StreamsClient streams() { return {"test", caller().client()}; }
  // Runs a coroutine on one of the caller's loops.
  template <typename T>
  auto Run(Task<T> task) {
    return Await(caller().runtime().loop(0), std::move(task));
  }

  Seen seen_;
};
INSTANTIATE_TEST_SUITE_P(Faces, StreamTest,
                         ::testing::Values("grpc_blocking", "grpc_async", "memory_blocking",
                                           "memory_async"),
                         ParamName);

// --- all kinds, from a thread ---

TEST_P(StreamTest, AServerStreamsInOrder) {
  ServeStreams();
  auto reader = streams().Expand(Count(1000, "x"));
  for (int i = 0; i < 1000; ++i) {
    const auto response = reader.Read();
    ASSERT_TRUE(response) << i;
    EXPECT_EQ(response->big_number(), i);
  }
  EXPECT_FALSE(reader.Read());
  EXPECT_TRUE(reader.Finish());
}

TEST_P(StreamTest, AClientStreams) {
  ServeStreams();
  auto writer = streams().Collect();
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(writer.Write(Named(name)));
  const auto response = writer.Finish();
  ASSERT_TRUE(response) << response.error().ToString();
  EXPECT_EQ(response->text(), "abc");
  EXPECT_EQ(response->big_number(), 3);
  EXPECT_EQ(writer.trailers().Get("x-tail"), "t");
}

TEST_P(StreamTest, BothTalk) {
  ServeStreams();
  auto stream = streams().Talk();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(stream.Write(Named(std::to_string(i))));
    const auto response = stream.Read();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->text(), "re: " + std::to_string(i));
  }
  stream.CloseSend();
  EXPECT_FALSE(stream.Read());
  EXPECT_TRUE(stream.Finish());
  EXPECT_FALSE(stream.Write({}));
}

TEST_P(StreamTest, OneThreadReadsWhileAnotherWrites) {
  ServeStreams();
  auto stream = streams().Talk();
  constexpr int kCount = 2000;
  std::thread writer([&] {
    for (int i = 0; i < kCount; ++i) stream.Write(Named(std::to_string(i)));
    stream.CloseSend();
  });
  int count = 0;
  Response response;
  while (stream.Read(response)) ++count;
  writer.join();
  EXPECT_EQ(count, kCount);
  EXPECT_TRUE(stream.Finish());
}

TEST_P(StreamTest, WithoutMessagesTheyEndWell) {
  ServeStreams();
  EXPECT_TRUE(streams().Talk().Finish());
  EXPECT_TRUE(streams().Expand(Count(0)).Finish());
  const auto response = streams().Collect().Finish();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->big_number(), 0);
}

// --- all kinds, from a coroutine ---

TEST_P(StreamTest, CoroutinesCallAllKinds) {
  ServeStreams();
  Run([](testee::StreamsClient client) -> Task<void> {
    auto reader = client.ExpandAsync(Count(3));
    int count = 0;
    while (auto response = co_await reader.Read()) EXPECT_EQ(response->big_number(), count++);
    const Status read = co_await reader.Finish();
    EXPECT_TRUE(read);
    EXPECT_EQ(count, 3);

    auto writer = client.CollectAsync();
    EXPECT_TRUE(co_await writer.Write(Named("a")));
    EXPECT_TRUE(co_await writer.Write(Named("b")));
    const auto collected = co_await writer.Finish();
    EXPECT_EQ(collected->text(), "ab");

    auto stream = client.TalkAsync();
    EXPECT_TRUE(co_await stream.Write(Named("c")));
    const auto answer = co_await stream.Read();
    EXPECT_EQ(answer->text(), "re: c");
    stream.CloseSend();
    EXPECT_FALSE(co_await stream.Read());
    const Status talked = co_await stream.Finish();
    EXPECT_TRUE(talked);
  }(streams()));
}

// --- metadata, errors ---

TEST_P(StreamTest, MetadataComesAheadAndBehind) {
  ServeStreams();
  CallInfo info;
  auto reader = streams().Expand(Count(1), {.info = &info});
  ASSERT_TRUE(reader.Read());
  EXPECT_EQ(reader.metadata().Get("x-head"), "h");
  EXPECT_TRUE(reader.Finish());
  EXPECT_EQ(reader.trailers().Get("x-tail"), "t");
  EXPECT_EQ(info.attempts, 1);
  EXPECT_EQ(info.trailers.Get("x-tail"), "t");
}

TEST_P(StreamTest, AnErrorIsTheStreamsEnd) {
  ServeStreams();
  auto reader = streams().Expand(Count(3, "fail"));
  EXPECT_FALSE(reader.Read());
  const Status status = reader.Finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kNotFound);
  EXPECT_EQ(status.error().detail(), "nobody of that name");
  EXPECT_EQ(status.error().phase(), Phase::kRemote);
}

TEST_P(StreamTest, AServiceMayEndAStreamThatIsStillWritten) {
  ServeStreams();
  auto writer = streams().Collect();
  writer.Write(Named("stop"));
  while (writer.Write(Named("x"))) {
  }
  const auto response = writer.Finish();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code(), Code::kAborted);
}

TEST_P(StreamTest, WithoutANodeTheEndSaysSo) {
  auto reader = streams().Expand(Count(1));
  EXPECT_FALSE(reader.Read());
  const Status status = reader.Finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().phase(), Phase::kResolve);
}

TEST_P(StreamTest, AnUnknownContentTypeIsTheStreamsEnd) {
  ServeStreams();
  const Status status = streams().Expand(Count(1), {.content_type = "text/none"}).Finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kInvalidArgument);
}

TEST_P(StreamTest, SpeaksJson) {
  ServeStreams();
  auto stream = streams().Talk({.content_type = "application/json"});
  ASSERT_TRUE(stream.Write(Named("Ann")));
  EXPECT_EQ(stream.Read()->text(), "re: Ann");
  EXPECT_TRUE(stream.Finish());
}

// --- compression ---

TEST_P(StreamTest, IsCompressedWhereThatIsAskedFor) {
  ServeStreams();
  auto stream = streams().Talk({.compression = Compression::kGzip});
  const std::string name(50'000, 'n');
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(stream.Write(Named(name)));
    EXPECT_EQ(stream.Read()->text(), "re: " + name);
  }
  EXPECT_TRUE(stream.Finish());
}

// --- deadlines and cancellation ---

TEST_P(StreamTest, ADeadlineEndsItOnBothSides) {
  ServeStreams();
  auto stream = streams().Talk({.timeout = 100ms});
  ASSERT_TRUE(stream.Write(Named("a")));
  ASSERT_TRUE(stream.Read());
  EXPECT_FALSE(stream.Read());
  const Status status = stream.Finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kDeadlineExceeded);
  EXPECT_TRUE(Eventually([&] { return seen_.left == 1; }));
  EXPECT_EQ(seen_.ended, 1);
}

TEST_P(StreamTest, HasNoDeadlineOfTheClientsOwn) {
  caller_options_.client_request_timeout = 20ms;
  ServeStreams();
  auto stream = streams().Talk();
  ASSERT_TRUE(stream.Write(Named("a")));
  ASSERT_TRUE(stream.Read());
  ASSERT_TRUE(Run([]() -> Task<Status> {
    co_await Sleep(60ms);  // more than unary calls have
    co_return Ok();
  }()));
  ASSERT_TRUE(stream.Write(Named("b")));
  EXPECT_TRUE(stream.Read());
  EXPECT_TRUE(stream.Finish());
}

TEST_P(StreamTest, CancellingEndsItOnBothSides) {
  ServeStreams();
  auto stream = streams().Talk();
  ASSERT_TRUE(stream.Write(Named("a")));
  ASSERT_TRUE(stream.Read());
  std::thread canceller([&] { stream.Cancel(); });
  EXPECT_FALSE(stream.Read());
  canceller.join();
  const Status status = stream.Finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kCancelled);
  EXPECT_TRUE(Eventually([&] { return seen_.left == 1; }));
  EXPECT_EQ(seen_.code, static_cast<int>(Code::kCancelled));
}

TEST_P(StreamTest, DroppingItCancels) {
  ServeStreams();
  {
    auto reader = streams().Expand(Count(-1));
    ASSERT_TRUE(reader.Read());
  }
  EXPECT_TRUE(Eventually([&] { return seen_.left == 1; }));
  EXPECT_EQ(seen_.code, static_cast<int>(Code::kCancelled));
}

TEST_P(StreamTest, AParentsEndIsItsOwn) {
  ServeStreams();
  std::promise<Status> ended;
  struct Front final : testee::StreamsHandler {
    Status Talk(Context& context, ServerStream<Request, Response>& out) override {
      testee::StreamsClient client("test", *to);
      auto inner = client.Talk({.parent = &context});
      inner.Write(Named("a"));
      inner.Read();
      out.Write(Text("opened"));
      inner.Read();
      ended->set_value(inner.Finish());
      return Ok();
    }
    Client* to = nullptr;
    std::promise<Status>* ended = nullptr;
  };
  Service& front = Make(Options("front"));
  const auto handler = std::make_shared<Front>();
  handler->to = &front.client();
  handler->ended = &ended;
  front.Handle(handler);
  ASSERT_TRUE(front.Start());
  testee::StreamsClient client("front", caller().client());
  auto outer = client.Talk();
  ASSERT_TRUE(outer.Read());
  outer.Cancel();
  const Status status = ended.get_future().get();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kCancelled);
  EXPECT_TRUE(Eventually([&] { return seen_.left == 1; }));
}

TEST_P(StreamTest, ClosingTheClientEndsItsStreams) {
  ServeStreams();
  std::optional<Service> leaver(std::in_place, Options("leaver"));
  testee::StreamsClient client("test", leaver->client());
  auto stream = std::make_unique<ClientStream<Request, Response>>(client.Talk());
  ASSERT_TRUE(stream->Write(Named("a")));
  ASSERT_TRUE(stream->Read());
  stream.reset();
  leaver.reset();
  EXPECT_TRUE(Eventually([&] { return seen_.left == 1; }));
}

TEST_P(StreamTest, StoppingAServiceEndsAStreamThatStays) {
  Service& service = Make([&] {
    ServiceOptions options = Options();
    options.drain_timeout = 50ms;
    return options;
  }());
  service.Handle(MakeHandler());
  ASSERT_TRUE(service.Start());
  auto stream = streams().Talk();
  ASSERT_TRUE(stream.Write(Named("a")));
  ASSERT_TRUE(stream.Read());
  Stop(service);
  EXPECT_FALSE(stream.Read());
  EXPECT_FALSE(stream.Finish());
  EXPECT_EQ(seen_.left, 1);
}

// --- backpressure ---

TEST_P(StreamTest, ASlowReaderHoldsTheWriterUp) {
  ServeStreams();
  Request request = Count(-1);
  request.set_payload(std::string(100'000, 'x'));
  auto reader = streams().Expand(request);
  ASSERT_TRUE(reader.Read());
  // The writer comes to rest: it has not written more between two looks.
  int before = -1;
  EXPECT_TRUE(Eventually([&] {
    const int now = seen_.written;
    std::this_thread::sleep_for(50ms);
    return std::exchange(before, now) == seen_.written;
  }));
  EXPECT_LT(seen_.written, 100);
  const int rest = seen_.written;
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(reader.Read());
  EXPECT_GT(seen_.written, rest);
}

TEST_P(StreamTest, AMessageOverTheLimitEndsTheStream) {
  ServiceOptions options = Options();
  options.max_message_size = caller_options_.max_message_size = 1000;
  Serve(MakeHandler(), options);
  auto stream = streams().Talk();
  Request big;
  big.set_payload(std::string(2000, 'x'));
  stream.Write(Named("a"));
  EXPECT_TRUE(stream.Read());
  stream.Write(big);
  EXPECT_FALSE(stream.Read());
  const Status status = stream.Finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kResourceExhausted);
  EXPECT_TRUE(Eventually([&] { return seen_.left == 1; }));
}

// --- middleware ---

TEST_P(StreamTest, MiddlewareStandsAroundTheWhole) {
  std::atomic<int> inside = 0;
  std::atomic<int> codes = 0;
  const auto watch = [&](Context& context, Next next) -> Task<Status> {
    ++inside;
    Status status = co_await next(context);
    if (!status) codes += static_cast<int>(status.error().code());
    --inside;
    co_return status;
  };
  caller().UseClient(watch);
  Service& service = Make(Options());
  service.Use(watch);
  service.Handle(MakeHandler());
  ASSERT_TRUE(service.Start());
  auto stream = streams().Talk();
  ASSERT_TRUE(stream.Write(Named("a")));
  ASSERT_TRUE(stream.Read());
  EXPECT_EQ(inside, 2);
  ASSERT_TRUE(stream.Write(Named("stop")));
  EXPECT_FALSE(stream.Finish());
  EXPECT_TRUE(Eventually([&] { return inside == 0; }));
  EXPECT_EQ(codes, 2 * static_cast<int>(Code::kAborted));
}

TEST_P(StreamTest, MiddlewareMayRefuseIt) {
  ServeStreams();
  caller().UseClient([](Context&, Next) -> Task<Status> { co_return PermissionDenied("not you"); });
  auto writer = streams().Collect();
  const auto response = writer.Finish();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code(), Code::kPermissionDenied);
  EXPECT_EQ(seen_.entered, 0);
}

// --- another node ---

TEST_P(StreamTest, ADeadNodeIsPassedOver) {
  const std::string dead = transport_ == "memory" ? "nowhere" : "127.0.0.1:1";
  Service& service = ServeStreams();
  const std::vector<std::string> addresses = {dead, service.address()};
  for (int i = 0; i < 10; ++i) {
    auto stream = streams().Talk({.addresses = addresses});
    ASSERT_TRUE(stream.Write(Named("a")));
    EXPECT_TRUE(stream.Read());
    EXPECT_TRUE(stream.Finish());
  }
}

// --- many ---

class IdleStreams : public FleetTest {
 protected:
  IdleStreams() : FleetTest("grpc") {}
  Seen seen_;
};

int ThreadsOfThisProcess() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) return std::stoi(line.substr(8));
  }
  return 0;
}

TEST_F(IdleStreams, TenThousandHoldNoThread) {
  Serve(std::make_shared<AsyncStreams>(seen_));
  caller_options_.client_pool_size = 100;
  testee::StreamsClient client("test", caller().client());
  EventLoop& loop = caller().runtime().loop(0);
  ASSERT_TRUE(client.Talk().Finish());  // what is started once is started
  const int before = ThreadsOfThisProcess();
  // Instrumented coroutines have no tail calls: what ends at once then costs the loop's stack.
  constexpr int kStreams = kPooling ? 10'000 : 1'000;
  std::vector<AsyncClientStream<Request, Response>> streams;
  streams.reserve(kStreams);
  ASSERT_TRUE(Await(loop, [](auto& all, auto to) -> Task<void> {
    for (int i = 0; i < kStreams; ++i) all.push_back(to.TalkAsync());
    for (auto& stream : all) {
      const bool written = co_await stream.Write(Named("a"));
      EXPECT_TRUE(written);
    }
    for (auto& stream : all) {
      const auto answer = co_await stream.Read();
      EXPECT_TRUE(answer);
    }
  }(streams, client)));
  EXPECT_EQ(seen_.entered, kStreams + 1);
  EXPECT_EQ(seen_.left, 1);
  EXPECT_LE(ThreadsOfThisProcess(), before);
  ASSERT_TRUE(Await(loop, [](auto& all) -> Task<void> {
    for (auto& stream : all) {
      const Status status = co_await stream.Finish();
      EXPECT_TRUE(status);
    }
    all.clear();
  }(streams)));
  EXPECT_TRUE(Eventually([&] { return seen_.left == kStreams + 1; }));
}

}  // namespace
}  // namespace micro::e2e
