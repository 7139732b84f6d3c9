// One case of gRPC's interop tests against a server.
//
//     grpc-interop-client --server_host=127.0.0.1 --server_port=N --test_case=NAME [--use_tls]
//
// With --use_tls the server's certificate has to come from the CA in --ca_file.
// Exit code 0: passed; 1: failed, and why; 2: no such case. --test_case=list lists them.
#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <string_view>

#include <micro/micro.h>

#include "cases.h"
#include "flags.h"

namespace grpc_interop {
namespace {

constexpr std::array kCases = std::to_array<Case>({
    {"empty_unary", EmptyUnary},
    {"large_unary", LargeUnary},
    {"client_compressed_unary", ClientCompressedUnary},
    {"server_compressed_unary", ServerCompressedUnary},
    {"client_streaming", ClientStreaming},
    {"server_streaming", ServerStreaming},
    {"ping_pong", PingPong},
    {"empty_stream", EmptyStream},
    {"custom_metadata", CustomMetadata},
    {"status_code_and_message", StatusCodeAndMessage},
    {"special_status_message", SpecialStatusMessage},
    {"unimplemented_method", UnimplementedMethod},
    {"unimplemented_service", UnimplementedService},
    {"cancel_after_begin", CancelAfterBegin},
    {"cancel_after_first_response", CancelAfterFirstResponse},
    {"timeout_on_sleeping_server", TimeoutOnSleepingServer},
});

int List() {
  for (const Case& one : kCases) std::cout << one.name << '\n';
  return 0;
}

int Run(const Target& target, std::string_view name) {
  const auto* const found = std::ranges::find(kCases, name, &Case::name);
  if (found == kCases.end()) {
    std::cerr << "there is no test case \"" << name << "\"; --test_case=list lists them\n";
    return 2;
  }
  const Complaint complaint = found->run(target);
  if (complaint.empty()) return 0;
  std::cerr << name << ": " << complaint << '\n';
  return 1;
}

}  // namespace
}  // namespace grpc_interop

int main(int argc, char** argv) {
  std::string host = "127.0.0.1";
  std::string test_case = "large_unary";
  std::string ca_file = grpc_interop::DefaultCaFile();
  int port = 10000;
  bool use_tls = grpc_interop::IsGiven(argc, argv, "use_tls");
  micro::Service service(
      {.name = "grpc.interop.client",
       .registry = "memory",
       .tls_ca = use_tls ? grpc_interop::Given(argc, argv, "ca_file", ca_file) : "",
       .flags = {{.name = "server_host", .help = "the server's host", .value = &host},
                 {.name = "server_port", .help = "the server's port", .value = &port},
                 {.name = "test_case", .help = "the case to run, or list", .value = &test_case},
                 {.name = "use_tls", .help = "dial with TLS", .value = &use_tls},
                 {.name = "ca_file", .help = "the server's CA", .value = &ca_file}}},
      argc, argv);
  if (!service.status()) return micro::Fail(service.status().error());
  if (test_case == "list") return grpc_interop::List();
  const auto received = std::make_shared<micro::Compression>();
  service.UseClient(
      [received](micro::Context& context, micro::Next next) -> micro::Task<micro::Status> {
        micro::Status status = co_await next(context);
        *received = context.received_compression();
        co_return status;
      });
  const grpc_interop::Target target{
      .service = ::grpc::testing::TestServiceClient("grpc.testing", service.client()),
      .missing = ::grpc::testing::UnimplementedServiceClient("grpc.testing", service.client()),
      .addresses = {host + ":" + std::to_string(port)},
      .received = received,
  };
  return grpc_interop::Run(target, test_case);
}
