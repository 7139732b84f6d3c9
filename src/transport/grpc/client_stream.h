#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "micro/transport.h"

#include "net/http2/session.h"
#include "transport/grpc/message_reader.h"

namespace micro::grpc {

/// A call as a gRPC client sees it, on one HTTP/2 stream. Held by the session until the stream is
/// over and by the caller until it gives it back; deleted when both have let go.
class ClientStream final : public http2::Stream, public transport::ClientStream {
 public:
  explicit ClientStream(const transport::Limits& limits);

  /// Sends what opens the call.
  void Open(http2::Session& session, const transport::CallHead& head);

  // http2::Stream
  bool OnHeader(std::string_view name, std::string_view value) override;
  void OnHeaders(bool end_of_stream) override;
  void OnData(std::string_view bytes) override;
  void OnEnd() override;
  void OnDrained() override;
  void OnClose(std::uint32_t error) override;

  // transport::ClientStream
  transport::Read TryRead(std::string& message) override;
  void WaitReadable(transport::Waiter& waiter) override { read_waiter_ = &waiter; }
  void Write(std::string& message) override;
  bool writable() const override;
  void WaitWritable(transport::Waiter& waiter) override { write_waiter_ = &waiter; }
  bool ended() const override { return ended_; }
  void CloseSend() override { EndBody(false); }
  const Status& status() const override { return status_; }
  bool unprocessed() const override { return unprocessed_; }
  Metadata& metadata() override { return metadata_; }
  Compression compression() const override { return compression_; }
  Metadata& trailers() override { return trailers_; }
  void Reset(Code reason) override;
  void Release() override;

 private:
  void TakeField(std::string_view name, std::string_view value);
  void CheckHead();
  Status Outcome() const;
  Error Broken(std::uint32_t error) const;
  void Fail(Status why, Phase phase = Phase::kRemote);
  void End(Status status);
  void LetGo();
  void Consume(std::size_t bytes);

  transport::Limits limits_;
  std::optional<TimePoint> deadline_;
  bool compress_ = false;
  Compression compression_ = Compression::kNone;
  std::string unknown_encoding_;
  MessageReader reader_;
  std::size_t header_bytes_ = 0;
  int http_status_ = 0;
  std::string content_type_;
  bool has_grpc_status_ = false;
  Code grpc_status_ = Code::kUnknown;
  std::string grpc_message_;
  std::string details_;
  int pushback_ = -1;  // milliseconds
  Metadata block_;     // the header block that is coming in
  Metadata metadata_;
  Metadata trailers_;
  Status status_;
  bool has_head_ = false;
  bool ended_ = false;
  bool unprocessed_ = false;
  bool closed_ = false;
  bool released_ = false;
  int held_ = 0;  // by what is under way: whoever is woken may release the stream, or close it
  transport::Waiter* read_waiter_ = nullptr;
  transport::Waiter* write_waiter_ = nullptr;
};

}  // namespace micro::grpc
