#include <atomic>
#include <future>
#include <map>
#include <set>

#include "fleet.h"
#include "server/standard/debug.pb.h"
#include "web/http_peer.h"

namespace micro::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// A transport that hands out who takes its calls, so that a test can ask as a browser would.
class Tapped final : public Transport {
 public:
  explicit Tapped(std::shared_ptr<Transport> transport) : transport_(std::move(transport)) {}
  std::string_view name() const override { return transport_->name(); }
  Result<std::unique_ptr<transport::Listener>> Listen(const std::string& address,
                                                      transport::Acceptor& acceptor) override {
    acceptor_ = &acceptor;
    return transport_->Listen(address, acceptor);
  }
  Task<Result<std::shared_ptr<transport::Connection>>> Dial(std::string address,
                                                            Duration timeout) override {
    return transport_->Dial(std::move(address), timeout);
  }
  transport::Acceptor& acceptor() { return *acceptor_; }

 private:
  std::shared_ptr<Transport> transport_;
  transport::Acceptor* acceptor_ = nullptr;
};

// What expands, and what echoes.
struct Streaming final : testee::StreamsAsyncHandler {
  Task<Status> Expand(Context&, Request request, AsyncServerWriter<Response> out) override {
    for (std::int64_t i = 0; i < request.big_number(); ++i) {
      if (!co_await out.Write(Text("x"))) break;
    }
    co_return out.status();
  }
  Task<Status> Talk(Context&, AsyncServerStream<Request, Response> stream) override {
    Request request;
    while (co_await stream.Read(request)) {
      if (!co_await stream.Write(Text(request.name()))) break;
    }
    co_return stream.status();
  }
};

class ObserveTest : public GrpcFleetTest {
 protected:
  ObserveTest() {
    plugins_.transports["grpc"] =
        [this, make = plugins_.transports.at("grpc")](
            const TransportConfig& config) -> Result<std::shared_ptr<Transport>> {
      auto made = make(config);
      if (!made) return made;
      auto tapped = std::make_shared<Tapped>(*made);
      taps_.push_back(tapped);
      return std::shared_ptr<Transport>(tapped);
    };
  }

  ServiceOptions TappedOptions(const std::string& name = "test") {
    ServiceOptions options = Options(name);
    options.plugins = plugins_;
    return options;
  }
  // Of the service that was made last.
  std::optional<transport::Page> Get(std::string_view path) {
    return taps_.back()->acceptor().Get(path);
  }
  // A call's numbers are complete a moment after its answer has gone.
  static bool Shows(Service& service, const std::string& line) {
    return Eventually([&] { return service.metrics().Text().contains("\n" + line + "\n"); });
  }

  std::vector<std::shared_ptr<Tapped>> taps_;
};

// --- metrics ---

TEST_F(ObserveTest, CallsAreCountedByMethodAndCode) {
  Service& service = Serve(Blocking([](Context& context, const Request& request) -> Reply {
    if (request.name() == "nobody") return NotFound("nobody of that name");
    return Echo(context, request);
  }));
  ASSERT_TRUE(Call(Named("one")));
  ASSERT_TRUE(Call(Named("two")));
  CallFails(Named("nobody"));
  EXPECT_TRUE(Shows(service, R"(micro_server_started_total{method="/testee.Test/Call"} 3)"));
  EXPECT_TRUE(
      Shows(service, R"(micro_server_handled_total{method="/testee.Test/Call",code="OK"} 2)"));
  EXPECT_TRUE(Shows(
      service, R"(micro_server_handled_total{method="/testee.Test/Call",code="NOT_FOUND"} 1)"));
  EXPECT_TRUE(Shows(service, R"(micro_server_in_flight{method="/testee.Test/Call"} 0)"));
  EXPECT_TRUE(
      Shows(service, R"(micro_server_latency_seconds_count{method="/testee.Test/Call"} 3)"));
  EXPECT_TRUE(
      Shows(service, R"(micro_server_messages_received_total{method="/testee.Test/Call"} 3)"));
  EXPECT_TRUE(Shows(service, R"(micro_server_messages_sent_total{method="/testee.Test/Call"} 2)"));
  EXPECT_THAT(service.metrics().Text(), Not(HasSubstr("testee.Test/Look")));
}

TEST_F(ObserveTest, CallsMadeAreCountedByServiceMethodAndCode) {
  Serve(Blocking(Echo));
  ASSERT_TRUE(Call(Named("one")));
  const std::vector<std::string> nowhere = {"127.0.0.1:1"};
  CallFails(Named("two"), {.addresses = nowhere});
  const std::string text = caller().metrics().Text();
  EXPECT_THAT(
      text,
      HasSubstr("micro_client_started_total{method=\"/testee.Test/Call\",service=\"test\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("micro_client_handled_total{method=\"/testee.Test/"
                              "Call\",service=\"test\",code=\"OK\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("micro_client_handled_total{method=\"/testee.Test/"
                              "Call\",service=\"test\",code=\"UNAVAILABLE\"} 1\n"));
  EXPECT_THAT(
      text, HasSubstr("micro_client_in_flight{method=\"/testee.Test/Call\",service=\"test\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("micro_client_messages_received_total{method=\"/testee.Test/"
                              "Call\",service=\"test\"} 1\n"));
}

TEST_F(ObserveTest, CallsUnderWayAreSeen) {
  const Gate gate;
  Service& service = Serve(Blocking([gate](Context& context, const Request& request) {
    gate.Wait();
    return Echo(context, request);
  }));
  auto slow = std::async(std::launch::async, [&] { return Call(Named("slow")); });
  EXPECT_TRUE(Shows(service, R"(micro_server_in_flight{method="/testee.Test/Call"} 1)"));
  EXPECT_TRUE(Shows(service, "micro_connections 1"));
  gate.Open();
  EXPECT_TRUE(slow.get());
  EXPECT_TRUE(Shows(service, R"(micro_server_in_flight{method="/testee.Test/Call"} 0)"));
}

TEST_F(ObserveTest, MessagesOfStreamsAreCountedAtBothEnds) {
  Service& service = Serve(std::make_shared<Streaming>());
  testee::StreamsClient streams("test", caller().client());
  Request request;
  request.set_big_number(5);
  auto reader = streams.Expand(request);
  while (reader.Read()) {
  }
  ASSERT_TRUE(reader.Finish());
  auto talk = streams.Talk();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(talk.Write(Named("x")));
    ASSERT_TRUE(talk.Read());
  }
  EXPECT_TRUE(
      Shows(service, R"(micro_server_messages_sent_total{method="/testee.Streams/Talk"} 3)"));
  ASSERT_TRUE(talk.Finish());
  EXPECT_TRUE(
      Shows(service, R"(micro_server_messages_sent_total{method="/testee.Streams/Expand"} 5)"));
  EXPECT_TRUE(
      Shows(service, R"(micro_server_messages_received_total{method="/testee.Streams/Expand"} 1)"));
  EXPECT_TRUE(
      Shows(service, R"(micro_server_messages_received_total{method="/testee.Streams/Talk"} 3)"));
  EXPECT_TRUE(
      Shows(service, R"(micro_server_handled_total{method="/testee.Streams/Talk",code="OK"} 1)"));
  const std::string client = caller().metrics().Text();
  EXPECT_THAT(client, HasSubstr("micro_client_messages_received_total{method=\"/testee.Streams/"
                                "Expand\",service=\"test\"} 5\n"));
  EXPECT_THAT(client, HasSubstr("micro_client_messages_sent_total{method=\"/testee.Streams/"
                                "Talk\",service=\"test\"} 3\n"));
  EXPECT_THAT(client, HasSubstr("micro_client_handled_total{method=\"/testee.Streams/"
                                "Talk\",service=\"test\",code=\"OK\"} 1\n"));
}

TEST_F(ObserveTest, CallersWhoGiveUpAreCountedAsSuch) {
  Service& service = Serve(std::make_shared<Streaming>());
  {
    auto talk = testee::StreamsClient("test", caller().client()).Talk();
    ASSERT_TRUE(talk.Write(Named("x")));
    ASSERT_TRUE(talk.Read());  // it is served, and then let go of
  }
  EXPECT_TRUE(Shows(
      service, R"(micro_server_handled_total{method="/testee.Streams/Talk",code="CANCELLED"} 1)"));
  EXPECT_TRUE(Shows(service, R"(micro_server_in_flight{method="/testee.Streams/Talk"} 0)"));
}

TEST_F(ObserveTest, MethodsThatAreNotServedAreCountedTogether) {
  Service& service = Serve(std::make_shared<Streaming>());
  CallFails(Named("x"));
  EXPECT_TRUE(
      Shows(service, R"(micro_server_handled_total{method="unknown",code="UNIMPLEMENTED"} 1)"));
  EXPECT_THAT(service.metrics().Text(), Not(HasSubstr("testee.Test")));
}

TEST_F(ObserveTest, WorkThatFindsNoThreadIsCounted) {
  const Gate gate;
  ServiceOptions options = Options();
  options.worker_threads = 1;
  options.worker_queue = 1;
  Service& service = Serve(Blocking([gate](Context& context, const Request& request) {
                             gate.Wait();
                             return Echo(context, request);
                           }),
                           options);
  auto one = std::async(std::launch::async, [&] { return Call(Named("one")); });
  EXPECT_TRUE(Shows(service, "micro_worker_threads 1"));
  auto two = std::async(std::launch::async, [&] { return Call(Named("two")); });
  EXPECT_TRUE(Shows(service, "micro_worker_queue_depth 1"));
  EXPECT_EQ(CallFails(Named("three"), {.retries = 0}).code(), Code::kResourceExhausted);
  EXPECT_TRUE(Shows(service, R"(micro_server_rejected_total{reason="worker_queue"} 1)"));
  gate.Open();
  EXPECT_TRUE(one.get());
  EXPECT_TRUE(two.get());
}

TEST_F(ObserveTest, ThePageIsThereForAGet) {
  Service& service = Serve(Blocking(Echo), TappedOptions());
  service.metrics().GetCounter("orders_total", "Orders taken").Add(7);
  const auto page = Get("/metrics");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(page->body, HasSubstr("\norders_total 7\n"));
  EXPECT_THAT(page->body, HasSubstr("\nmicro_server_refused_total 0\n"));
  EXPECT_THAT(page->body, HasSubstr("\nprocess_uptime_seconds "));
  EXPECT_FALSE(Get("/nothing"));
}

TEST_F(ObserveTest, AScraperReadsThePageOnTheServicesPort) {
  Service& service = Serve(Blocking(Echo));
  ASSERT_TRUE(Call({}));
  ASSERT_TRUE(
      Shows(service, R"(micro_server_handled_total{method="/testee.Test/Call",code="OK"} 1)"));
  const HttpAnswer page = HttpPeer(service.address()).Ask("GET", "/metrics");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(
      page.body,
      HasSubstr("\nmicro_server_handled_total{method=\"/testee.Test/Call\",code=\"OK\"} 1\n"));
  service.health().Set("", false);
  EXPECT_EQ(HttpPeer(service.address()).Ask("GET", "/healthz").status, 503);
}

TEST_F(ObserveTest, ThePageCanBeSwitchedOff) {
  ServiceOptions options = TappedOptions();
  options.metrics = false;
  Service& service = Serve(Blocking(Echo), options);
  EXPECT_FALSE(Get("/metrics"));
  EXPECT_THAT(service.metrics().Text(), HasSubstr("micro_connections"));
}

TEST_F(ObserveTest, EveryFamilyIsThereOnce) {
  Service& service = Serve(Blocking(Echo), TappedOptions());
  ASSERT_TRUE(Call({}));
  std::istringstream lines(service.metrics().Text());
  std::set<std::string> types;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    EXPECT_TRUE(types.insert(line).second) << line;
  }
  EXPECT_GT(types.size(), 10);
}

TEST_F(ObserveTest, ProbesAreToldWhetherItServes) {
  Service& service = Serve(Blocking(Echo), TappedOptions());
  EXPECT_EQ(Get("/healthz")->status, 200);
  service.health().Set("", false);
  EXPECT_EQ(Get("/healthz")->status, 503);
}

// --- traces ---

struct Told {
  TraceContext trace;
  SpanKind kind;
  std::string service;
  std::string path;
  std::string peer;
  Code code;
  Metadata attributes;
};

// Keeps what is exported.
class Spans {
 public:
  SpanExporter exporter() {
    return [this](const Span& span) {
      const std::lock_guard lock(mutex_);
      spans_.push_back({span.trace, span.kind, std::string(span.service), std::string(span.path),
                        std::string(span.peer), span.code, *span.attributes});
    };
  }
  // Waits for that many.
  std::vector<Told> Take(std::size_t count) {
    EXPECT_TRUE(Eventually([&] {
      const std::lock_guard lock(mutex_);
      return spans_.size() >= count;
    }));
    const std::lock_guard lock(mutex_);
    return std::exchange(spans_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Told> spans_;
};

class TraceTest : public FleetTest {
 protected:
  // A call's span may come a moment after its answer: not after what keeps it has gone.
  ~TraceTest() override {
    services_.clear();
    caller_.reset();
  }

  // A service whose handler calls "second" as part of the call it serves.
  void ServeTwo() {
    ServiceOptions second = Options("second");
    second.spans = spans_.exporter();
    Serve(Blocking([this](Context& context, const Request& request) {
            const std::lock_guard lock(mutex_);
            arrived_ = context.metadata();
            return Echo(context, request);
          }),
          second);
    ServiceOptions first = Options("test");
    first.spans = spans_.exporter();
    Service& service = Make(first);
    service.Handle(Blocking([&service](Context& context, const Request& request) {
      context.attributes().Add("user", "ann");
      return testee::TestClient("second", service.client()).Call(request, {.parent = &context});
    }));
    ASSERT_TRUE(service.Start());
  }

  Metadata arrived() {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }

  Spans spans_;
  std::mutex mutex_;
  Metadata arrived_;
};
INSTANTIATE_TEST_SUITE_P(Transports, TraceTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(TraceTest, OneTraceGoesThroughAllServices) {
  caller_options_.spans = spans_.exporter();
  ServeTwo();
  ASSERT_TRUE(Call(Named("x")));
  std::map<std::pair<std::string, SpanKind>, Told> by;
  for (Told& told : spans_.Take(4)) by.emplace(std::pair(told.service, told.kind), told);
  ASSERT_EQ(by.size(), 4);
  const TraceContext& root = by.at({"test", SpanKind::kClient}).trace;
  const TraceContext& served = by.at({"test", SpanKind::kServer}).trace;
  const TraceContext& called = by.at({"second", SpanKind::kClient}).trace;
  const TraceContext& last = by.at({"second", SpanKind::kServer}).trace;
  EXPECT_EQ(root.parent, 0);
  EXPECT_EQ(served.parent, root.span);
  EXPECT_EQ(called.parent, served.span);
  EXPECT_EQ(last.parent, called.span);
  for (const auto& [key, told] : by) {
    EXPECT_EQ(told.trace.trace_id(), root.trace_id());
    EXPECT_EQ(told.path, "/testee.Test/Call");
    EXPECT_EQ(told.code, Code::kOk);
    EXPECT_FALSE(told.peer.empty());
  }
  EXPECT_EQ(by.at({"test", SpanKind::kServer}).attributes.Get("user"), "ann");
}

TEST_P(TraceTest, ATraceFromOutsideGoesOn) {
  ServeTwo();
  const Metadata metadata = {
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"tracestate", "vendor=1"}};
  ASSERT_TRUE(Call(Named("x"), {.metadata = &metadata}));
  for (const Told& told : spans_.Take(3)) {
    EXPECT_EQ(told.trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
  }
  const Metadata came = arrived();
  EXPECT_TRUE(came.Get("traceparent")->starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
  EXPECT_EQ(came.Get("tracestate"), "vendor=1");
}

TEST_P(TraceTest, AGoMicroTraceGoesOn) {
  ServeTwo();
  const Metadata metadata = {{"traceparent", "none"},
                             {"micro-trace-id", "6ba7b810-9dad-41d1-80b4-00c04fd430c8"},
                             {"micro-span-id", "7d444840-9dc0-41d1-b245-5ffdce74fad2"}};
  ASSERT_TRUE(Call(Named("x"), {.metadata = &metadata}));
  for (const Told& told : spans_.Take(3)) {
    EXPECT_EQ(told.trace.trace_id(), "6ba7b8109dad41d180b400c04fd430c8");
  }
  EXPECT_EQ(arrived().Get("micro-trace-id"), "6ba7b810-9dad-41d1-80b4-00c04fd430c8");
  EXPECT_NE(arrived().Get("micro-span-id"), "7d444840-9dc0-41d1-b245-5ffdce74fad2");
}

TEST_P(TraceTest, NothingElseThatCameIsForwarded) {
  ServeTwo();
  const Metadata metadata = {
      {"authorization", "Bearer secret"}, {"cookie", "c=1"}, {"x-user", "ann"}};
  ASSERT_TRUE(Call(Named("x"), {.metadata = &metadata}));
  const Metadata came = arrived();
  for (const char* key : {"authorization", "cookie", "x-user"}) EXPECT_FALSE(came.Has(key)) << key;
  EXPECT_TRUE(came.Has("micro-trace-id"));
}

TEST_P(TraceTest, ACallThatNobodyTracesCarriesNoIds) {
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    return Text(context.metadata().Has("traceparent") ? "told" : "not told");
  }));
  EXPECT_EQ(Call({})->text(), "not told");
}
TEST_P(TraceTest, HeadersCanBeLeftOut) {
  caller_options_.trace_headers = "none";
  caller_options_.spans = spans_.exporter();
  Serve(Blocking([](Context& context, const Request&) -> Reply {
    EXPECT_TRUE(context.trace());  // its own
    EXPECT_EQ(context.trace().parent, 0);
    return Text(context.metadata().Has("traceparent") || context.metadata().Has("micro-trace-id")
                    ? "told"
                    : "not told");
  }));
  EXPECT_EQ(Call({})->text(), "not told");
  const Service wrong({.name = "x", .registry = "memory", .trace_headers = "b3"});
  EXPECT_EQ(wrong.status().error().code(), Code::kInvalidArgument);
}

TEST_P(TraceTest, WhoIsNotSampledIsNotExportedAndSaysSo) {
  ServeTwo();
  const Metadata metadata = {
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}};
  ASSERT_TRUE(Call(Named("x"), {.metadata = &metadata}));
  EXPECT_TRUE(arrived().Get("traceparent")->ends_with("-00"));
  ASSERT_TRUE(Call(Named("y")));
  for (const Told& told : spans_.Take(3)) {
    EXPECT_NE(told.trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
  }
}

TEST_P(TraceTest, FailuresAndStreamsAreSpansToo) {
  caller_options_.spans = spans_.exporter();
  ServiceOptions options = Options();
  options.spans = spans_.exporter();
  Serve(std::make_shared<Streaming>(), options);
  testee::StreamsClient streams("test", caller().client());
  ASSERT_TRUE(streams.Expand({}).Finish());
  auto spans = spans_.Take(2);
  EXPECT_EQ(spans[0].trace.trace_id(), spans[1].trace.trace_id());
  EXPECT_EQ(spans[0].path, "/testee.Streams/Expand");
  CallFails({});
  spans = spans_.Take(1);  // what is not served has no span at the service
  EXPECT_EQ(spans[0].kind, SpanKind::kClient);
  EXPECT_EQ(spans[0].code, Code::kUnimplemented);
}

TEST_P(TraceTest, AnExporterThatThrowsHarmsNobody) {
  ServiceOptions options = Options();
  std::atomic<int> asked = 0;
  options.spans = [&asked](const Span&) {
    ++asked;
    throw std::runtime_error("no");
  };
  Serve(Blocking(Echo), options);
  ASSERT_TRUE(Call(Named("x")));
  ASSERT_TRUE(Call(Named("y")));
  EXPECT_TRUE(Eventually([&] { return asked == 2; }));
}

// --- go-micro's Debug handler ---

constexpr std::string_view kForms[] = {"/Debug/", "/test.Debug/", "/go.micro.srv.test.Debug/"};

class DebugTest : public FleetTest {
 protected:
  template <typename Out, typename In>
  Result<Out> Ask(const std::string& path, const In& request) {
    const MethodInfo method = {.path = path};
    return CallUnary<Out>(caller().client(), "test", method, request, {});
  }
  template <typename Out, typename In>
  Result<Out> AskDebug(const std::string& method, const In& request) {
    return Ask<Out>("/test.Debug/" + method, request);
  }
  ClientReader<standard::debug::Record> Log(const standard::debug::LogRequest& request) {
    static constexpr MethodInfo kLog = {.path = "/test.Debug/Log",
                                        .kind = MethodKind::kServerStream};
    return CallStream<ClientReader<standard::debug::Record>>(caller().client(), "test", kLog,
                                                             &request, {});
  }
};
INSTANTIATE_TEST_SUITE_P(Transports, DebugTest, ::testing::Values("grpc", "memory"), ParamName);

TEST_P(DebugTest, ItIsFoundHoweverGoMicroCallsIt) {
  Serve(Blocking(Echo));
  for (const std::string_view form : kForms) {
    const auto response = Ask<standard::debug::HealthResponse>(std::string(form) + "Health",
                                                               standard::debug::HealthRequest());
    ASSERT_TRUE(response) << form << response.error().ToString();
    EXPECT_EQ(response->status(), "ok");
  }
}

TEST_P(DebugTest, StatsTellOfRequestsAndErrors) {
  Serve(Blocking([](Context& context, const Request& request) -> Reply {
    if (request.name() == "nobody") return NotFound("nobody of that name");
    return Echo(context, request);
  }));
  ASSERT_TRUE(Call(Named("x")));
  CallFails(Named("nobody"));
  const auto ask = [this] {
    return AskDebug<standard::debug::StatsResponse>("Stats", standard::debug::StatsRequest());
  };
  EXPECT_TRUE(Eventually([&] { return ask()->errors() == 1; }));
  const auto stats = ask();
  EXPECT_GE(stats->requests(), 3);
  EXPECT_GT(stats->memory(), 0);
  EXPECT_GT(stats->threads(), 1);
  EXPECT_LE(stats->started(), stats->timestamp());
  EXPECT_EQ(stats->uptime(), stats->timestamp() - stats->started());
}

TEST_P(DebugTest, TheLogIsRead) {
  Service& service = Serve(Blocking(Echo));
  service.options().logger->Write(LogLevel::kWarn, "first");
  service.options().logger->Write(LogLevel::kError, "second");
  standard::debug::LogRequest request;
  request.set_count(2);
  auto reader = Log(request);
  const auto first = reader.Read();
  const auto second = reader.Read();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->message(), "first");
  EXPECT_EQ(first->metadata().at("level"), "warn");
  EXPECT_GT(first->timestamp(), 0);
  EXPECT_EQ(second->message(), "second");
  EXPECT_FALSE(reader.Read());
  EXPECT_TRUE(reader.Finish());
  request.set_since(first->timestamp() + 1'000'000);
  EXPECT_FALSE(Log(request).Read());
  EXPECT_TRUE(log_->Has(LogLevel::kError, "second"));  // where it went before, too
}

TEST_P(DebugTest, TheLogIsFollowedUntilTheServiceStops) {
  Service& service = Serve(Blocking(Echo));
  service.options().logger->Write(LogLevel::kInfo, "before");
  standard::debug::LogRequest request;
  request.set_stream(true);
  request.set_count(1);
  auto reader = Log(request);
  EXPECT_EQ(reader.Read()->message(), "before");
  service.options().logger->Write(LogLevel::kInfo, "after");
  EXPECT_EQ(reader.Read()->message(), "after");
  service.Stop();
  while (reader.Read()) {
  }
  EXPECT_EQ(reader.Finish().error().code(), Code::kUnavailable);
}

TEST_P(DebugTest, SpansAreKeptByTrace) {
  Serve(Blocking([](Context& context, const Request& request) -> Reply {
    if (request.name() == "nobody") return NotFound("nobody of that name");
    return Echo(context, request);
  }));
  const Metadata metadata = {
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}};
  ASSERT_TRUE(Call(Named("x")));
  CallFails(Named("nobody"), {.metadata = &metadata});
  standard::debug::TraceRequest request;
  const auto ask = [&] { return AskDebug<standard::debug::TraceResponse>("Trace", request); };
  EXPECT_TRUE(Eventually([&] { return ask()->spans_size() == 2; }));
  request.set_id("0af76519-16cd-43dd-8448-eb211c80319c");
  const auto traced = ask();
  ASSERT_EQ(traced->spans_size(), 1);
  const standard::debug::Span& span = traced->spans(0);
  EXPECT_EQ(span.name(), "test.Test.Call");
  EXPECT_EQ(span.parent(), "b7ad6b7169203331");
  EXPECT_EQ(span.type(), standard::debug::INBOUND);
  EXPECT_EQ(span.metadata().at("error"), "NOT_FOUND");
  EXPECT_GT(span.started(), 0);
  EXPECT_GT(span.duration(), 0);
}

TEST_P(DebugTest, AProgramsOwnGoesFirst) {
  struct Own final : Handler {
    static Task<Status> Serve(Handler&, ServerCall& call) {
      standard::debug::HealthResponse response;
      response.set_status("mine");
      co_return call.WriteResponse(response);
    }
    std::string_view name() const override { return "mine.Debug"; }
    std::span<const Method> methods() const override {
      static constexpr Method kMethods[] = {
          {{.path = "/mine.Debug/Health",
            .request = &standard::debug::HealthRequest::descriptor,
            .response = &standard::debug::HealthResponse::descriptor},
           &Serve}};
      return kMethods;
    }
  };
  Serve(std::make_shared<Own>());
  const auto response =
      AskDebug<standard::debug::HealthResponse>("Health", standard::debug::HealthRequest());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status(), "mine");
}

TEST_P(DebugTest, ItCanBeSwitchedOff) {
  ServiceOptions options = Options();
  options.debug_handler = false;
  Serve(Blocking(Echo), options);
  const auto response =
      AskDebug<standard::debug::HealthResponse>("Health", standard::debug::HealthRequest());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code(), Code::kUnimplemented);
}

}  // namespace
}  // namespace micro::e2e
