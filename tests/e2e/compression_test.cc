#include "fleet.h"

namespace micro::e2e {
namespace {

// "asked SENT came RECEIVED": what the service saw, and the answers as the caller saw them.
class CompressionTest : public GrpcFleetTest {
 protected:
  void ServeEcho(Compression answers) {
    Serve(Blocking([this, answers](Context& context, const Request& request) -> Reply {
      requests_ = context.received_compression();
      context.set_compression(answers);
      return Echo(context, request);
    }));
    caller().UseClient([this](Context& context, Next next) -> Task<Status> {
      Status status = co_await next(context);
      answers_ = context.received_compression();
      co_return status;
    });
  }

  Compression requests_ = Compression::kNone;
  Compression answers_ = Compression::kNone;
};

Request Large() {
  Request request;
  request.set_payload(std::string(1'000'000, 'x'));
  return request;
}

TEST_F(CompressionTest, NothingIsCompressedUnasked) {
  ServeEcho(Compression::kNone);
  ASSERT_TRUE(Call(Large()));
  EXPECT_EQ(requests_, Compression::kNone);
  EXPECT_EQ(answers_, Compression::kNone);
}

TEST_F(CompressionTest, RequestsAreCompressed) {
  ServeEcho(Compression::kNone);
  EXPECT_EQ(Call(Large(), {.compression = Compression::kGzip})->payload(), Large().payload());
  EXPECT_EQ(requests_, Compression::kGzip);
  EXPECT_EQ(answers_, Compression::kNone);
}

TEST_F(CompressionTest, AnswersAreCompressed) {
  ServeEcho(Compression::kGzip);
  EXPECT_EQ(Call(Large())->payload(), Large().payload());
  EXPECT_EQ(requests_, Compression::kNone);
  EXPECT_EQ(answers_, Compression::kGzip);
}

TEST_F(CompressionTest, TheLimitIsForWhatComesOut) {
  ServiceOptions options = Options();
  options.max_message_size = 500'000;
  Serve(Blocking(Echo), options);
  const Error error = CallFails(Large(), {.compression = Compression::kGzip});
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_NE(error.detail().find("--max_message_size"), std::string::npos) << error.detail();
}

}  // namespace
}  // namespace micro::e2e
