#pragma once

#include <string>
#include <string_view>

#include "micro/transport.h"

#include "net/http2/exchange.h"
#include "net/http2/session.h"
#include "transport/grpc/fields.h"
#include "transport/grpc/message_reader.h"
#include "transport/grpc/web/request.h"

namespace micro::grpc {

/// A call as a gRPC server sees it, on one HTTP/2 stream.
///
/// Two hold it: the session until the stream is over, the server until it gives it back. It is
/// recycled when both have let go.
class ServerStream final : public http2::Stream, public transport::ServerStream {
 public:
  /// Who takes the requests that are no gRPC.
  class Elsewhere {
   public:
    virtual void OnWebRequest(http2::Exchange& exchange, web::Request request) = 0;

   protected:
    ~Elsewhere() = default;
  };

  explicit ServerStream(const transport::Limits& limits);

  static ServerStream* Make(const transport::Limits& limits, transport::Acceptor& acceptor,
                            Elsewhere& elsewhere, http2::Session& session);

  // http2::Stream
  bool OnHeader(std::string_view name, std::string_view value) override;
  void OnHeaders(bool end_of_stream) override;
  void OnData(std::string_view bytes) override;
  void OnEnd() override;
  void OnSent() override;
  void OnDrained() override;
  void OnClose(std::uint32_t error) override;
  void OnTrailersDue() override;

  // transport::ServerStream
  EventLoop& loop() override { return *loop_; }
  transport::CallHead& head() override { return head_; }
  const std::string& peer() const override { return *peer_; }
  transport::Read TryRead(std::string& message) override;
  void WaitReadable(transport::Waiter& waiter) override { read_waiter_ = &waiter; }
  void Write(std::string& message) override;
  bool writable() const override;
  void WaitWritable(transport::Waiter& waiter) override { write_waiter_ = &waiter; }
  bool ended() const override { return finished_ || closed_; }
  void WaitClosed(transport::Waiter& waiter) override { close_waiter_ = &waiter; }
  void SetMetadata(const Metadata& metadata) override { metadata_ = metadata; }
  void SetCompression(Compression compression) override;
  void Finish(const Status& status, const Metadata& trailers) override;
  void Reset(Code reason) override;
  void Release() override;

 private:
  bool OnPseudoHeader(std::string_view name, std::string_view value);
  bool OnPlainHeader(std::string_view name, std::string_view value);
  bool OnGrpcHeader(std::string_view name, std::string_view value);
  void OnEncoding(std::string_view encoding);
  void Refuse(Status why);
  void Report(const std::string& why);
  bool IsGrpc() const;
  void HandOver();
  void SendHead();
  void End(const Status& status, const Metadata& trailers);
  void Consume(std::size_t bytes);
  bool Check(const Status& received);
  void Recycle();

  transport::Limits limits_;
  transport::Acceptor* acceptor_ = nullptr;
  Elsewhere* elsewhere_ = nullptr;
  EventLoop* loop_ = nullptr;
  const std::string* peer_ = nullptr;
  transport::CallHead head_;
  MessageReader reader_;
  Status refused_;  // why the call is not served, or not read any further
  std::size_t header_bytes_ = 0;
  std::string method_;  // unless it is POST
  MessageForm message_form_ = MessageForm::kText;

  bool opened_ = false;  // the acceptor has it
  bool remote_ended_ = false;
  bool head_sent_ = false;
  bool takes_gzip_ = false;
  bool compress_ = false;
  bool unknown_encoding_ = false;
  bool finished_ = false;
  bool closed_ = false;  // the session has let go
  bool closing_ = false;
  Metadata metadata_;
  Status status_;
  Metadata trailers_;
  transport::Waiter* read_waiter_ = nullptr;
  transport::Waiter* write_waiter_ = nullptr;
  transport::Waiter* close_waiter_ = nullptr;
};

}  // namespace micro::grpc
