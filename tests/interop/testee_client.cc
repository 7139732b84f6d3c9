// Our own client against the Testee of others (gomicro/server): a line for each case.
//
//     interop-testee-client [flags] SERVICE [HOST:PORT]
//
// Without an address it finds the service through the registry.
#include <array>
#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/micro.h>

#include "cases.h"
#include "testee.micro.h"

namespace interop {
namespace {

using namespace std::chrono_literals;

/// Calls a service, by address or by name.
struct Peer {
  TesteeClient testee;
  std::vector<std::string> addresses;

  micro::Result<Note> Echo(const Note& note, micro::CallOptions options = {}) const {
    options.addresses = addresses;
    return testee.Echo(note, options);
  }
  micro::Result<Note> Fail(const Failure& failure) const {
    return testee.Fail(failure, {.addresses = addresses});
  }
};

Note Rich() {
  Note note;
  note.set_name("J\u00f6hn <&> \"x\"\n");
  note.set_big_number(-(std::int64_t{1} << 62));
  note.add_tags("");
  note.add_tags("a");
  note.set_raw(std::string("\0\xff", 2));
  return note;
}

Complaint ExpectEcho(const Peer& peer, Note note, std::string_view content_type) {
  const micro::Metadata metadata = {{"x-echo", "ann"}};
  const auto answer = peer.Echo(note, {.metadata = &metadata, .content_type = content_type});
  if (!answer) return answer.error().ToString();
  note.set_echo("ann");
  if (answer->SerializeAsString() == note.SerializeAsString()) return {};
  return "it came back as " + answer->ShortDebugString().substr(0, 200);
}

Complaint Large(const Peer& peer) {
  Note note;
  note.set_name(std::string(1U << 20U, 'x'));
  return ExpectEcho(peer, note, "");
}

struct Expected {
  std::string id;
  int http = 0;
  micro::Code code = micro::Code::kUnknown;
  std::string detail;
};

Complaint EndOf(const micro::Status& status) { return status ? "" : status.error().ToString(); }

Complaint ExpectFailure(const Expected& expected, const micro::Status& status) {
  if (status) return "an answer instead of an error";
  const micro::Error& error = status.error();
  const bool right = error.id() == expected.id && error.http_code() == expected.http &&
                     error.code() == expected.code && error.detail() == expected.detail &&
                     error.phase() == micro::Phase::kRemote;
  return right ? "" : "it is " + error.ToString() + ", HTTP " + std::to_string(error.http_code());
}

Complaint ExpectError(const Expected& expected, const micro::Result<Note>& answer) {
  return ExpectFailure(expected, answer ? micro::Ok() : micro::Failure(answer.error()));
}

struct Constructor {
  std::string name;
  int http;
  micro::Code code;
};

const std::array<Constructor, 13> kConstructors = {{
    {"BadRequest", 400, micro::Code::kInvalidArgument},
    {"Unauthorized", 401, micro::Code::kUnauthenticated},
    {"Forbidden", 403, micro::Code::kPermissionDenied},
    {"NotFound", 404, micro::Code::kNotFound},
    {"MethodNotAllowed", 405, micro::Code::kUnknown},
    {"Timeout", 408, micro::Code::kDeadlineExceeded},
    {"Conflict", 409, micro::Code::kAlreadyExists},
    {"InternalServerError", 500, micro::Code::kInternal},
    {"New", 412, micro::Code::kFailedPrecondition},
    {"New", 418, micro::Code::kUnknown},
    {"New", 429, micro::Code::kUnknown},
    {"New", 501, micro::Code::kUnimplemented},
    {"New", 503, micro::Code::kUnavailable},
}};

Complaint FailsAs(const Peer& peer, const Constructor& constructor) {
  Failure failure;
  failure.set_constructor(constructor.name);
  failure.set_id("com.example.thing");
  failure.set_code(constructor.http);
  failure.set_detail("because <of> \"\u00fc\" & 100%");
  return ExpectError({.id = failure.id(),
                      .http = constructor.http,
                      .code = constructor.code,
                      .detail = failure.detail()},
                     peer.Fail(failure));
}

// An error of Go's that is none of go-micro's.
Complaint Plain(const Peer& peer) {
  Failure failure;
  failure.set_constructor("plain");
  failure.set_detail("no id, no code");
  return ExpectError(
      {.id = "", .http = 500, .code = micro::Code::kUnknown, .detail = "no id, no code"},
      peer.Fail(failure));
}

Complaint Panic(const Peer& peer) {
  Failure failure;
  failure.set_constructor("panic");
  failure.set_detail("thrown");
  return ExpectError({.id = "go.micro.server",
                      .http = 500,
                      .code = micro::Code::kInternal,
                      .detail = "panic recovered: thrown"},
                     peer.Fail(failure));
}

Complaint Deadline(const Peer& peer) {
  Note slow;
  slow.set_name("slow");
  const auto start = std::chrono::steady_clock::now();
  const auto answer = peer.Echo(slow, {.timeout = 200ms});
  if (answer) return "an answer instead of an error";
  const bool late = std::chrono::steady_clock::now() - start > 3s;
  if (late || answer.error().code() != micro::Code::kDeadlineExceeded) {
    return (late ? "too late: " : "") + answer.error().ToString();
  }
  return ExpectEcho(peer, Rich(), "");
}

Note Ping(std::int64_t number, std::string_view name = "ping") {
  Note note;
  note.set_name(std::string(name));
  note.set_big_number(number);
  return note;
}

Complaint Count(const Peer& peer, std::string_view content_type) {
  constexpr int kTicks = 1000;
  auto stream =
      peer.testee.Count(Ping(kTicks), {.content_type = content_type, .addresses = peer.addresses});
  for (int i = 1; i <= kTicks; ++i) {
    const auto tick = stream.Read();
    if (!tick) return "after " + std::to_string(i - 1) + " ticks: " + EndOf(stream.Finish());
    if (tick->big_number() != i) return "tick is " + tick->ShortDebugString();
  }
  if (stream.Read()) return "too many ticks";
  return EndOf(stream.Finish());
}

Complaint FailingCount(const Peer& peer) {
  auto stream = peer.testee.Count(Ping(-1), {.addresses = peer.addresses});
  if (stream.Read()) return "an answer instead of an error";
  return ExpectFailure({.id = "gomicro.testee",
                        .http = 400,
                        .code = micro::Code::kInvalidArgument,
                        .detail = "cannot count to -1"},
                       stream.Finish());
}

Complaint Exchange(micro::ClientStream<Note, Note>& stream, int notes) {
  for (int i = 0; i < notes; ++i) {
    if (!stream.Write(Ping(i))) return "it takes no notes: " + EndOf(stream.Finish());
    const auto note = stream.Read();
    if (!note) return "no answer: " + EndOf(stream.Finish());
    if (note->big_number() != i) return "the answer is " + note->ShortDebugString();
  }
  return {};
}

Complaint Chat(const Peer& peer, std::string_view content_type) {
  auto stream = peer.testee.Chat({.content_type = content_type, .addresses = peer.addresses});
  const Complaint complaint = Exchange(stream, 100);
  return complaint.empty() ? EndOf(stream.Finish()) : complaint;
}

Complaint FailingChat(const Peer& peer) {
  auto stream = peer.testee.Chat({.addresses = peer.addresses});
  const Complaint complaint = Exchange(stream, 1);
  if (!complaint.empty()) return complaint;
  stream.Write(Ping(0, "fail"));
  if (stream.Read()) return "an answer instead of an error";
  return ExpectFailure({.id = "gomicro.testee",
                        .http = 409,
                        .code = micro::Code::kAlreadyExists,
                        .detail = "told to fail"},
                       stream.Finish());
}

std::vector<Case> Cases(const Peer& peer) {
  std::vector<Case> cases = {
      {"proto", [&] { return ExpectEcho(peer, Rich(), ""); }},
      {"json", [&] { return ExpectEcho(peer, Rich(), "application/json"); }},
      {"an empty message", [&] { return ExpectEcho(peer, {}, "application/json"); }},
      {"1 MiB", [&] { return Large(peer); }},
      {"a plain error", [&] { return Plain(peer); }},
      {"a panic", [&] { return Panic(peer); }},
      {"deadline", [&] { return Deadline(peer); }},
      {"server stream, proto", [&] { return Count(peer, ""); }},
      {"server stream, json", [&] { return Count(peer, "application/json"); }},
      {"server stream that fails", [&] { return FailingCount(peer); }},
      {"bidi stream, proto", [&] { return Chat(peer, ""); }},
      {"bidi stream, json", [&] { return Chat(peer, "application/json"); }},
      {"bidi stream that fails", [&] { return FailingChat(peer); }},
  };
  for (const Constructor& one : kConstructors) {
    cases.push_back(
        {"error " + one.name + " " + std::to_string(one.http), [&] { return FailsAs(peer, one); }});
  }
  return cases;
}

}  // namespace
}  // namespace interop

int main(int argc, char** argv) {
  micro::Service service({.name = "interop.client", .arguments = "SERVICE [HOST:PORT]"}, argc,
                         argv);
  if (!service.status()) return micro::Fail(service.status().error());
  const std::span words(service.arguments());
  if (words.empty()) {
    return micro::Fail(micro::Error(micro::Code::kInvalidArgument, "one SERVICE is needed"));
  }
  const interop::Peer peer{
      .testee = interop::TesteeClient(words.front(), service.client()),
      .addresses = std::vector<std::string>(words.begin() + 1, words.end()),
  };
  return interop::RunAll(interop::Cases(peer));
}
