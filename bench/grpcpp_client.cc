// What we compare with: a grpc++ client as it is fastest, the generic stub on one completion queue.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "echo.h"
#include "flag.h"
#include "measurement.h"

namespace {

using Codec = grpc::SerializationTraits<bench::Echo>;

/// What all callers share.
struct Load {
  grpc::GenericStub stub;
  grpc::CompletionQueue queue;
  const bench::Echo question;
  bench::Measurement measurement;

  void Ask(grpc::ByteBuffer& to) const {
    bool owned = false;
    to.Clear();
    (void)Codec::Serialize(question, &to, &owned);
  }
  bool IsAnswer(grpc::ByteBuffer& bytes) const {
    bench::Echo response;
    return Codec::Deserialize(&bytes, &response).ok() && bench::IsAnswer(question, response);
  }
};

/// Something that the queue tells of.
class Event {
 public:
  virtual ~Event() = default;
  /// False when nothing more is to come of the caller that this belongs to.
  virtual bool Proceed(bool good) = 0;
};

/// Makes one call after the other.
class Caller final : public Event {
 public:
  explicit Caller(Load& load) : load_(load) { Start(); }

  bool Proceed(bool) override {
    load_.measurement.Add(start_, status_.ok() && load_.IsAnswer(response_));
    if (!load_.measurement.Runs()) return false;
    Start();
    return true;
  }

 private:
  void Start() {
    reader_.reset();
    context_ = std::make_unique<grpc::ClientContext>();
    start_ = bench::Clock::now();
    load_.Ask(request_);
    reader_ = load_.stub.PrepareUnaryCall(context_.get(), "/bench.EchoService/Unary", request_,
                                          &load_.queue);
    reader_->StartCall();
    reader_->Finish(&response_, &status_, this);
  }

  Load& load_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::Status status_;
  bench::Clock::time_point start_;
};

/// Sends one message after the other on one stream: each when the last one's answer has come, or
/// (a flood) as fast as the stream takes them.
class Talker final : public Event {
 public:
  Talker(Load& load, bool floods) : load_(load), floods_(floods), writing_(*this) {
    stream_ = load.stub.PrepareCall(&context_, "/bench.EchoService/Stream", &load.queue);
    stream_->StartCall(this);
  }

  /// The stream stands, or an answer has come.
  bool Proceed(bool good) override {
    if (std::exchange(reads_, false) && !ended_) {
      --unanswered_;
      Count(good && load_.IsAnswer(response_));
    }
    return Go(good);
  }

 private:
  class Writing final : public Event {
   public:
    explicit Writing(Talker& talker) : talker_(talker) {}
    bool Proceed(bool good) override {
      talker_.writes_ = false;
      return talker_.Go(good);
    }

   private:
    Talker& talker_;
  };

  void Count(bool good) {
    if (floods_) return load_.measurement.Add(good);
    load_.measurement.Add(start_, good);
  }

  /// Reads and writes on: a flood whatever is free, otherwise when both are.
  bool Go(bool good) {
    if (!ended_ && (!good || !load_.measurement.Runs())) End();
    if (ended_) return reads_ || writes_;  // whose events are still to come
    const bool turn = floods_ || !(reads_ || writes_);
    if (turn && !writes_ && unanswered_ < kUnanswered) Write();
    if (turn && !reads_) Read();
    return true;
  }

  void Write() {
    start_ = bench::Clock::now();
    load_.Ask(request_);
    writes_ = true;
    ++unanswered_;
    stream_->Write(request_, &writing_);
  }

  void Read() {
    reads_ = true;
    stream_->Read(&response_, this);
  }

  void End() {
    ended_ = true;
    context_.TryCancel();
  }

  // A write ends at once as long as the stream takes it, and while events wait, a queue looks for
  // no more: without a bound it would write, and never read.
  static constexpr int kUnanswered = 1000;

  Load& load_;
  const bool floods_;
  Writing writing_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  bench::Clock::time_point start_;
  bool reads_ = false;
  bool writes_ = false;
  bool ended_ = false;
  int unanswered_ = 0;
};

std::unique_ptr<Event> MakeCaller(Load& load, const std::string& kind) {
  if (kind == "unary") return std::make_unique<Caller>(load);
  return std::make_unique<Talker>(load, kind == "flood");
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address, const std::string& trusted) {
  auto credentials =
      trusted.empty()
          ? grpc::InsecureChannelCredentials()
          : grpc::SslCredentials(
                {.pem_root_certs = trusted, .pem_private_key = {}, .pem_cert_chain = {}});
  auto channel = grpc::CreateChannel(address, credentials);
  const auto until = std::chrono::system_clock::now() + std::chrono::seconds(5);
  return channel->WaitForConnected(until) ? channel : nullptr;
}

void Serve(grpc::CompletionQueue& queue, int callers) {
  void* event = nullptr;
  bool good = false;
  while (callers > 0 && queue.Next(&event, &good)) {
    if (!static_cast<Event*>(event)->Proceed(good)) --callers;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto flag = [&](std::string_view name, std::string otherwise) {
    return bench::FlagValue(argc, argv, name, std::move(otherwise));
  };
  const auto address = flag("server_address", "127.0.0.1:50051");
  const int outstanding = std::stoi(flag("outstanding", "64"));
  const auto kind = flag("kind", "unary");
  const auto channel = Connect(address, bench::FlagFile(argc, argv, "tls_ca"));
  if (channel == nullptr) {
    std::fprintf(stderr, "nobody answers at %s\n", address.c_str());
    return 1;
  }

  Load load{.stub = grpc::GenericStub(channel),
            .queue = {},
            .question = bench::Question(std::stoul(flag("bytes", "16"))),
            .measurement = bench::Measurement(std::stod(flag("seconds", "1")))};
  std::vector<std::unique_ptr<Event>> callers;
  for (int i = 0; i < outstanding; ++i) callers.push_back(MakeCaller(load, kind));
  std::thread loop([&] { Serve(load.queue, outstanding); });
  load.measurement.Wait();
  loop.join();
  load.measurement.Print();
  return load.measurement.good() ? 0 : 1;
}
