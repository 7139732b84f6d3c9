#pragma once

#include <string>
#include <string_view>

#include "net/http/exchange.h"
#include "net/http2/session.h"
#include "net/http2/stream.h"

namespace micro::http2 {

/// A request on an HTTP/2 stream whose head has been read. Deletes itself when the stream is over.
class Exchange final : public Stream, public http::Exchange {
 public:
  /// Goes on where `stream` was; `head_only`: the request was a HEAD.
  static Exchange& TakeOver(Stream& stream, bool head_only);

  // Stream
  bool OnHeader(std::string_view name, std::string_view value) override;
  void OnHeaders(bool end_of_stream) override;
  void OnData(std::string_view bytes) override;
  void OnEnd() override;
  void OnSent() override;
  void OnDrained() override;
  void OnClose(std::uint32_t error) override;

  // http::Exchange
  EventLoop& loop() override { return session()->loop(); }
  const std::string& peer() const override { return session()->peer(); }
  void Attach(http::Receiver& receiver) override { receiver_ = &receiver; }
  void Leave() override;
  void SendHead(int status, const Metadata& fields, std::optional<std::size_t> length) override;
  void Send(std::string& bytes) override;
  void End() override;
  void Abort() override;
  std::size_t unsent() const override { return Stream::unsent(); }

 private:
  void Reset(std::uint32_t error);

  explicit Exchange(bool head_only) : head_only_(head_only) {}

  http::Receiver* receiver_ = nullptr;
  bool head_only_;
  bool head_sent_ = false;
  bool ended_ = false;
  bool sent_ = false;        // the response has left
  std::size_t in_vain_ = 0;  // bytes of the request's body that came after that
  bool reset_ = false;
};

}  // namespace micro::http2
