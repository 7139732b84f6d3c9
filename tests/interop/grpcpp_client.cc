// A stock grpc++ client, with the code that grpc's own plugin generates, which calls a Greeter at
// an address: a line for each case.
//
//     interop-grpcpp-client ADDRESS
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "helloworld.grpc.pb.h"

namespace {

using Stub = helloworld::Greeter::Stub;

/// Why a case failed; empty when it did not.
using Complaint = std::string;

std::unique_ptr<grpc::ClientContext> Context(std::chrono::milliseconds timeout) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + timeout);
  return context;
}

std::unique_ptr<grpc::ClientContext> Context() { return Context(std::chrono::seconds(10)); }

Complaint Expect(grpc::StatusCode code, const grpc::Status& status) {
  if (status.error_code() == code) return {};
  return "code " + std::to_string(code) + " expected, not " + std::to_string(status.error_code()) +
         ": " + status.error_message();
}

Complaint Greet(Stub& greeter, grpc::ClientContext& context, const std::string& name) {
  helloworld::Request request;
  request.set_name(name);
  helloworld::Response response;
  const grpc::Status status = greeter.Hello(&context, request, &response);
  if (!status.ok()) return Expect(grpc::StatusCode::OK, status);
  if (response.greeting() != "Hello " + name) return "greeting is " + response.greeting();
  return {};
}

Complaint Greeting(Stub& greeter) { return Greet(greeter, *Context(), "John"); }

Complaint Large(Stub& greeter) { return Greet(greeter, *Context(), std::string(1U << 20U, 'x')); }

Complaint Metadata(Stub& greeter) {
  const auto context = Context();
  context->AddMetadata("x-user", "ann");
  context->AddMetadata("x-raw-bin", std::string("\0\xff\n", 3));
  return Greet(greeter, *context, "John");
}

Complaint Compressed(Stub& greeter) {
  const auto context = Context();
  context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
  helloworld::Request request;
  request.set_name(std::string(2000, 'x'));
  helloworld::Response response;
  const grpc::Status status = greeter.Hello(context.get(), request, &response);
  if (!status.ok()) return Expect(grpc::StatusCode::OK, status);
  return response.greeting() == "Hello " + request.name() ? "" : "another greeting came";
}

Complaint UnknownMethod(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::TemplatedGenericStub<helloworld::Request, helloworld::Response> stub(channel);
  const auto context = Context();
  const helloworld::Request request;
  helloworld::Response response;
  std::promise<grpc::Status> ended;
  stub.UnaryCall(context.get(), "/helloworld.Greeter/Wave", {}, &request, &response,
                 [&](grpc::Status status) { ended.set_value(std::move(status)); });
  return Expect(grpc::StatusCode::UNIMPLEMENTED, ended.get_future().get());
}

struct Case {
  std::string name;
  std::function<Complaint(Stub&)> run;
};

bool Run(const Case& one, Stub& greeter) {
  const Complaint complaint = one.run(greeter);
  if (complaint.empty()) {
    std::cout << "ok " << one.name << std::endl;
  } else {
    std::cout << "FAILED " << one.name << ": " << complaint << std::endl;
  }
  return complaint.empty();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  const auto greeter = helloworld::Greeter::NewStub(channel);
  const std::vector<Case> cases{
      {"greeting", Greeting},
      {"1 MiB", Large},
      {"metadata", Metadata},
      {"gzip", Compressed},
      {"unknown method", [&](Stub&) { return UnknownMethod(channel); }},
  };
  bool good = true;
  for (const Case& one : cases) good = Run(one, *greeter) && good;
  return good ? 0 : 1;
}
