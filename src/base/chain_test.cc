#include "base/chain.h"

#include <gtest/gtest.h>

#include "micro/runtime.h"

#include "base/call_context.h"

namespace micro {
namespace {

class ChainTest : public ::testing::Test {
 protected:
  struct Last final : Next::Step {
    explicit Last(std::string& written) : text(written) {}
    Task<Status> Run(Context& /*context*/) override {
      text += "|";
      co_return Ok();
    }
    std::string& text;
  };

  // Writes a letter ahead of the rest and behind it.
  Middleware Letter(char letter) {
    return [this, letter](Context& context, Next next) -> Task<Status> {
      text_ += letter;
      Status status = co_await next(context);
      text_ += letter;
      co_return status;
    };
  }

  Status Run(const std::vector<Middleware>& middleware) {
    Chain chain;
    return Await(runtime_.loop(0), chain.Run(middleware, last_, context_));
  }

  Runtime runtime_{{.loops = 1}};
  CallContext context_;
  std::string text_;
  Last last_{text_};
};

TEST_F(ChainTest, WithoutMiddlewareThereIsOnlyTheCall) {
  EXPECT_TRUE(Run({}));
  EXPECT_EQ(text_, "|");
}

TEST_F(ChainTest, TheFirstStandsOutermost) {
  EXPECT_TRUE(Run({Letter('a'), Letter('b'), Letter('c')}));
  EXPECT_EQ(text_, "abc|cba");
}

TEST_F(ChainTest, MiddlewareMayEndTheCallItself) {
  const Middleware refuse = [](Context& /*context*/, Next /*next*/) -> Task<Status> {
    co_return PermissionDenied("no");
  };
  const Status status = Run({Letter('a'), refuse, Letter('b')});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kPermissionDenied);
  EXPECT_EQ(text_, "aa");
}

TEST_F(ChainTest, WhatMiddlewareThrowsReachesTheOneOutside) {
  const Middleware broken = [](Context& /*context*/, Next /*next*/) -> Task<Status> {
    throw std::runtime_error("broken");
    co_return Ok();
  };
  const Middleware mend = [](Context& context, Next next) -> Task<Status> {
    try {
      co_return co_await next(context);
    } catch (const std::runtime_error& error) {
      co_return Internal(error.what());
    }
  };
  const Status status = Run({mend, broken});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().detail(), "broken");
}

}  // namespace
}  // namespace micro
