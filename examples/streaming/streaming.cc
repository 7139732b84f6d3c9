// Streams in one program: a service that serves all three kinds, and a client that calls them over
// loopback. Prints what it gets.
#include <cstdio>
#include <memory>
#include <utility>

#include <micro/micro.h>

#include "telemetry.micro.h"

using telemetry::Query;
using telemetry::Reading;
using telemetry::Summary;

// [handler]
struct Telemetry : telemetry::TelemetryHandler {
  micro::Status Replay(micro::Context&, const Query& query,
                       micro::ServerWriter<Reading>& out) override {
    Reading reading;
    reading.set_sensor(query.sensor());
    for (int i = 0; i < query.count(); ++i) {
      reading.set_value(i);
      if (!out.Write(reading)) return out.status();  // the caller is gone
    }
    return micro::Ok();
  }

  micro::Result<Summary> Upload(micro::Context&, micro::ServerReader<Reading>& in) override {
    Summary summary;
    double sum = 0;
    while (auto reading = in.Read()) {  // until the caller half-closes, or is gone
      sum += reading->value();
      summary.set_readings(summary.readings() + 1);
      summary.set_average(sum / static_cast<double>(summary.readings()));
    }
    if (micro::Status status = in.status(); !status) return micro::Failure(status.error());
    return summary;
  }

  micro::Status Smooth(micro::Context&, micro::ServerStream<Reading, Reading>& stream) override {
    double average = 0;
    while (auto reading = stream.Read()) {
      average += (reading->value() - average) / 2;
      reading->set_value(average);
      if (!stream.Write(*reading)) break;
    }
    return stream.status();
  }
};
// [/handler]

// [async_handler]
struct AsyncTelemetry : telemetry::TelemetryAsyncHandler {
  micro::Task<micro::Status> Smooth(micro::Context&,
                                    micro::AsyncServerStream<Reading, Reading> stream) override {
    double average = 0;
    Reading reading;
    while (co_await stream.Read(reading)) {  // the message's memory is used again
      average += (reading.value() - average) / 2;
      reading.set_value(average);
      if (!co_await stream.Write(reading)) break;
    }
    co_return stream.status();
  }
};
// [/async_handler]

Reading ReadingOf(double value) {
  Reading reading;
  reading.set_sensor("outdoors");
  reading.set_value(value);
  return reading;
}

// [read]
micro::Status Replay(const telemetry::TelemetryClient& client) {
  Query query;
  query.set_sensor("outdoors");
  query.set_count(3);
  auto readings = client.Replay(query);
  while (auto reading = readings.Read()) std::printf("replayed %g\n", reading->value());
  return readings.Finish();  // how it ended; dropping `readings` instead cancels the call
}
// [/read]

// [write]
micro::Status Upload(const telemetry::TelemetryClient& client) {
  auto upload = client.Upload();
  for (const double value : {1.0, 2.0, 6.0}) {
    if (!upload.Write(ReadingOf(value))) break;  // the call is over: Finish says why
  }
  auto summary = upload.Finish();
  if (!summary) return micro::Failure(summary.error());
  std::printf("uploaded %lld, average %g\n", static_cast<long long>(summary->readings()),
              summary->average());
  return micro::Ok();
}
// [/write]

// [async]
micro::Task<micro::Status> Smooth(telemetry::TelemetryClient client) {
  auto stream = client.SmoothAsync();
  for (const double value : {8.0, 16.0}) {
    co_await stream.Write(ReadingOf(value));
    if (auto smoothed = co_await stream.Read()) std::printf("smoothed %g\n", smoothed->value());
  }
  stream.CloseSend();
  co_return co_await stream.Finish();
}
// [/async]

int main(int argc, char** argv) {
  micro::Service service({.name = "telemetry", .address = "127.0.0.1:0", .registry = "memory"},
                         argc, argv);
  service.Handle(std::make_shared<Telemetry>());
  if (auto status = service.Start(); !status) return micro::Fail(status.error());
  const telemetry::TelemetryClient client("telemetry", service.client());
  if (auto status = Replay(client); !status) return micro::Fail(status.error());
  if (auto status = Upload(client); !status) return micro::Fail(status.error());
  auto smoothed = micro::Await(service.runtime().loop(0), Smooth(client));
  if (!smoothed) return micro::Fail(smoothed.error());
  return 0;
}
