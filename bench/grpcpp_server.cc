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
        return good ? Read() : End();
      case Step::kRead:
        return Reply(good);
      case Step::kFinish:
        return End();
    }
  }

 private:
  enum class Step { kAccept, kRead, kFinish };

  void Read() {
    new Call(service_, queue_);
    step_ = Step::kRead;
    stream_.Read(&request_, this);
  }

  void Reply(bool good) {
    step_ = Step::kFinish;
    bench::Echo request;
    if (!good || !Codec::Deserialize(&request_, &request).ok()) {
      return stream_.Finish({grpc::StatusCode::INTERNAL, "no message"}, this);
    }
    bench::Echo response;
    bench::Answer(request, response);
    bool owned = false;
    (void)Codec::Serialize(response, &response_, &owned);
    stream_.WriteAndFinish(response_, {}, grpc::Status::OK, this);
  }

  void End() { delete this; }

  grpc::AsyncGenericService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  Step step_ = Step::kAccept;
};

}  // namespace

int main(int argc, char** argv) {
  constexpr int kCallsWaitedFor = 64;
  grpc::AsyncGenericService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(bench::FlagValue(argc, argv, "server_address", "127.0.0.1:50051"),
                           grpc::InsecureServerCredentials());
  builder.RegisterAsyncGenericService(&service);
  const auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  for (int i = 0; i < kCallsWaitedFor; ++i) new Call(service, *queue);
  void* call = nullptr;
  bool good = false;
  while (queue->Next(&call, &good)) static_cast<Call*>(call)->Proceed(good);
}
