#include "registry/etcd/watch.h"

#include <gtest/gtest.h>

#include "micro/testing/registry_conformance.h"

#include "registry/etcd/testing/fake_etcd.h"
#include "transport/grpc/grpc.h"

namespace micro::etcd {
namespace {

using namespace std::chrono_literals;
using micro::testing::Eventually;
using testing::Answer;
using testing::FakeEtcd;
using testing::Heard;
using testing::Say;

TEST(EtcdWatchTest, WhatCouldNotBeTakenIsToldAgain) {
  Runtime runtime({.loops = 1});
  const auto transport = MakeGrpcTransport({.runtime = &runtime}).value();
  wire::KeyValue kv;
  kv.set_key("/micro/registry/a/a-1");
  kv.set_value(R"({"name":"a","nodes":[{"id":"a-1","address":"127.0.0.1:1"}]})");
  kv.set_mod_revision(2);
  FakeEtcd fake(runtime.loop(0), *transport, [&](const Heard& heard) {
    if (heard.method == "KV/Range") {
      wire::RangeResponse response;
      response.mutable_header()->set_revision(fake.count("KV/Range"));
      if (fake.count("KV/Range") > 1) *response.add_kvs() = kv;
      return Answer(response);
    }
    wire::WatchResponse response;
    response.add_events()->set_type(wire::Event::PUT);
    *response.mutable_events(0)->mutable_kv() = kv;
    return Say(response);
  });
  const auto client = std::make_shared<Client>(
      transport, Client::Options{.servers = {fake.address()}, .timeout = 1s});
  std::atomic<int> refused = 0;
  std::atomic<int> taken = 0;
  const auto watch = std::make_shared<Watch>(
      "a", client, std::make_shared<Records>(nullptr, nullptr), nullptr, [&](const Change& change) {
        EXPECT_EQ(change.kind, Change::Kind::kCreate);
        ++(refused == 0 ? refused : taken);
        return taken > 0;
      });
  EventLoop& loop = runtime.loop(0);
  loop.Post([&] { watch->Start(); });
  EXPECT_TRUE(Eventually([&] { return taken == 1; }));
  EXPECT_EQ(refused, 1);
  internal::Parker closed;
  loop.Post([&] {
    watch->Stop();
    client->Close();
    closed.Signal();
  });
  closed.Wait();
}

}  // namespace
}  // namespace micro::etcd
