// What we compare with: grpc++ as it is fastest, the generic asynchronous service on one completion
// queue, which one thread serves.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <memory>

#include "echo.h"
#include "flag.h"

namespace {

using Codec = grpc::SerializationTraits<bench::Echo>;

/// One call, from the moment it is waited for; it deletes itself when it has ended.
class Call {
 public:
  Call(grpc::AsyncGenericService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue) {
    service_.RequestCall(&context_, &stream_, &queue_, &queue_, this);
  }

  void Proceed(bool good) {
    switch (step_) {
      case Step::kAccept:
        return good ? Accept() : End();
      case Step::kRead:
        return Answer(good);
      case Step::kWrite:
        return good ? Read() : Finish(grpc::Status::CANCELLED);
      case Step::kFinish:
        return End();
    }
  }

 private:
  enum class Step { kAccept, kRead, kWrite, kFinish };

  void Accept() {
    new Call(service_, queue_);
    streams_ = context_.method().ends_with("/Stream");
    Read();
  }

  void Read() {
    step_ = Step::kRead;
    stream_.Read(&request_, this);
  }

  void Answer(bool good) {
    if (!good && streams_) return Finish(grpc::Status::OK);  // it has half-closed
    bench::Echo request;
    if (!good || !Codec::Deserialize(&request_, &request).ok()) {
      return Finish({grpc::StatusCode::INTERNAL, "no message"});
    }
    bench::Echo response;
    bench::Answer(request, response);
    bool owned = false;
    response_.Clear();
    (void)Codec::Serialize(response, &response_, &owned);
    Write();
  }

  void Write() {
    step_ = streams_ ? Step::kWrite : Step::kFinish;
    if (streams_) {
      stream_.Write(response_, this);
    } else {
      stream_.WriteAndFinish(response_, {}, grpc::Status::OK, this);
    }
  }

  void Finish(const grpc::Status& status) {
    step_ = Step::kFinish;
    stream_.Finish(status, this);
  }

  void End() { delete this; }

  grpc::AsyncGenericService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  Step step_ = Step::kAccept;
  bool streams_ = false;
};

std::shared_ptr<grpc::ServerCredentials> Credentials(int argc, char** argv) {
  const auto certificate = bench::FlagFile(argc, argv, "tls_cert");
  if (certificate.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({bench::FlagFile(argc, argv, "tls_key"), certificate});
  return grpc::SslServerCredentials(options);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kCallsWaitedFor = 64;
  grpc::AsyncGenericService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(bench::FlagValue(argc, argv, "server_address", "127.0.0.1:50051"),
                           Credentials(argc, argv));
  builder.RegisterAsyncGenericService(&service);
  const auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  for (int i = 0; i < kCallsWaitedFor; ++i) new Call(service, *queue);

  void* call = nullptr;
  bool good = false;
  while (queue->Next(&call, &good)) static_cast<Call*>(call)->Proceed(good);
}
