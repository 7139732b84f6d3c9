// What we compare with: a grpc++ client as it is fastest, the generic stub on one completion queue.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "echo.h"
#include "flag.h"
#include "measurement.h"

namespace {

using Codec = grpc::SerializationTraits<bench::Echo>;

/// Makes one call after the other.
class Caller {
 public:
  Caller(grpc::GenericStub& stub, grpc::CompletionQueue& queue, bench::Measurement& measurement)
      : stub_(stub), queue_(queue), measurement_(measurement) {
    Start();
  }

  /// A call has ended; false when there is no other to make.
  bool Proceed() {
    bench::Echo response;
    const bool good = status_.ok() && Codec::Deserialize(&response_, &response).ok() &&
                      response.data() == question_.data();
    measurement_.Add(start_, good);
    if (!measurement_.Runs()) return false;
    Start();
    return true;
  }

 private:
  void Start() {
    reader_.reset();
    context_ = std::make_unique<grpc::ClientContext>();
    start_ = bench::Clock::now();
    bool owned = false;
    request_.Clear();
    (void)Codec::Serialize(question_, &request_, &owned);
    reader_ = stub_.PrepareUnaryCall(context_.get(), "/bench.EchoService/Unary", request_, &queue_);
    reader_->StartCall();
    reader_->Finish(&response_, &status_, this);
  }

  grpc::GenericStub& stub_;
  grpc::CompletionQueue& queue_;
  bench::Measurement& measurement_;
  const bench::Echo question_ = bench::Question();
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::Status status_;
  bench::Clock::time_point start_;
};

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  const auto until = std::chrono::system_clock::now() + std::chrono::seconds(5);
  return channel->WaitForConnected(until) ? channel : nullptr;
}

void Serve(grpc::CompletionQueue& queue, int callers) {
  void* caller = nullptr;
  bool good = false;
  while (callers > 0 && queue.Next(&caller, &good)) {
    if (!static_cast<Caller*>(caller)->Proceed()) --callers;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto address = bench::FlagValue(argc, argv, "server_address", "127.0.0.1:50051");
  const int outstanding = std::stoi(bench::FlagValue(argc, argv, "outstanding", "64"));
  const double seconds = std::stod(bench::FlagValue(argc, argv, "seconds", "1"));
  const auto channel = Connect(address);
  if (channel == nullptr) {
    std::fprintf(stderr, "nobody answers at %s\n", address.c_str());
    return 1;
  }
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  bench::Measurement measurement(seconds);
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < outstanding; ++i) {
    callers.push_back(std::make_unique<Caller>(stub, queue, measurement));
  }
  std::thread loop([&] { Serve(queue, outstanding); });
  measurement.Wait();
  loop.join();
  measurement.Print();
  return measurement.good() ? 0 : 1;
}
