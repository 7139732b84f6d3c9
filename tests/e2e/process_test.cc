#include <csignal>

#include "child.h"
#include "fleet.h"
#include "http2_peer.h"
#include "socket.h"

// Our example programs as users run them.
namespace micro::e2e {
namespace {

const std::vector<std::string> kOnLoopback = {"--registry=mdns", "--registry_address=127.0.0.1",
                                              "--server_address=127.0.0.1:0"};

// A hello-world service that listens.
struct HelloWorld {
  HelloWorld() : address(child.After("listening on ")) {}
  Child child{"helloworld", kOnLoopback};
  std::string address;
};

// What a program writes that ends by itself.
struct Ended {
  explicit Ended(const std::string& program, const std::vector<std::string>& arguments = {},
                 const std::vector<std::string>& environment = {})
      : child(program, arguments, environment), code(child.Wait()), output(child.output()) {}
  Child child;
  int code;
  std::string output;
};

void ExpectOneSentence(const Ended& ended, int code, const std::string& text) {
  EXPECT_EQ(ended.code, code) << ended.output;
  EXPECT_EQ(std::count(ended.output.begin(), ended.output.end(), '\n'), 1) << ended.output;
  EXPECT_NE(ended.output.find(text), std::string::npos) << ended.output;
}

TEST(ProgramTest, SigtermEndsAServiceWithZero) {
  HelloWorld hello;
  ASSERT_FALSE(hello.address.empty()) << hello.child.output();
  hello.child.Signal(SIGTERM);
  EXPECT_EQ(hello.child.Wait(), 0) << hello.child.output();
  EXPECT_FALSE(Socket::Dial(hello.address).connected());
}

TEST(ProgramTest, SigintEndsAServiceWithZero) {
  HelloWorld hello;
  ASSERT_FALSE(hello.address.empty()) << hello.child.output();
  hello.child.Signal(SIGINT);
  EXPECT_EQ(hello.child.Wait(), 0) << hello.child.output();
}

TEST(ProgramTest, ASecondSignalEndsItAtOnce) {
  HelloWorld hello;
  ASSERT_FALSE(hello.address.empty()) << hello.child.output();
  // A request that never ends keeps the service from leaving.
  Http2Peer peer(Socket::Dial(hello.address), Http2Peer::Role::kClient);
  peer.Request({{":method", "POST"},
                {":scheme", "http"},
                {":path", "/helloworld.Greeter/Hello"},
                {":authority", "x"},
                {"content-type", "application/grpc"}},
               "", false);
  bool settled = false;
  peer.Ping();
  ASSERT_TRUE(peer.RunUntil([&] { return std::exchange(settled, true); }));
  hello.child.Signal(SIGTERM);
  ASSERT_TRUE(hello.child.WaitFor("leaving"));
  hello.child.Signal(SIGTERM);
  EXPECT_EQ(hello.child.Wait(), 128 + SIGTERM) << hello.child.output();
}

TEST(ProgramTest, AnUnusableOptionEndsAServiceWithTwoAndASentence) {
  ExpectOneSentence(Ended("helloworld", {"--registry=nonsense"}), 2, "mdns, memory, static");
  ExpectOneSentence(Ended("helloworld", {"--selector=nonsense"}), 2,
                    "consistent_hash, least_loaded, p2c, prequal, random, round_robin");
  ExpectOneSentence(Ended("helloworld", {"--transport=nonsense"}), 2, "grpc, memory");
  ExpectOneSentence(Ended("helloworld", {"--nonsense"}), 2, "--nonsense");
  ExpectOneSentence(Ended("helloworld", {"--loops=many"}), 2, "--loops");
  ExpectOneSentence(Ended("helloworld", {"--log_level=loud"}), 2, "--log_level");
  ExpectOneSentence(Ended("helloworld", {}, {"MICRO_LOOPS=many"}), 2, "MICRO_LOOPS");
  ExpectOneSentence(Ended("helloworld", {"--server_address=nonsense"}), 2, "nonsense");
}

TEST(ProgramTest, APortInUseEndsAServiceWithTwoAndASentence) {
  const ListeningSocket taken;
  ExpectOneSentence(
      Ended("helloworld", {"--registry=memory", "--server_address=" + taken.address()}), 2,
      "cannot listen on " + taken.address() + ": Address already in use");
}

TEST(ProgramTest, HelpIsPrintedWithZero) {
  const Ended help("helloworld", {"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.output.find("Usage: helloworld [flags]"), std::string::npos) << help.output;
}

TEST(ProgramTest, AClientFindsTheServiceAndGreets) {
  HelloWorld hello;
  ASSERT_FALSE(hello.address.empty()) << hello.child.output();
  const Ended fixed(
      "helloworld-client", {"John"},
      {"MICRO_REGISTRY=static", "MICRO_REGISTRY_ADDRESS=helloworld=" + hello.address});
  EXPECT_EQ(fixed.code, 0) << fixed.output;
  EXPECT_EQ(fixed.output, "Hello John\n");
  const Ended found("helloworld-client", {"--registry=mdns", "--registry_address=127.0.0.1", "-n",
                                          "2", "--show_node", "John"});
  EXPECT_EQ(found.code, 0) << found.output;
  EXPECT_NE(found.output.find("Hello John (helloworld-"), std::string::npos) << found.output;
}

TEST(ProgramTest, AClientWithoutAServiceEndsWithOneAndASentence) {
  ExpectOneSentence(Ended("helloworld-client", {"--registry=memory", "John"}), 1, "NOT_FOUND");
}

TEST(ProgramTest, AClientWithoutANameEndsWithTwoAndASentence) {
  ExpectOneSentence(Ended("helloworld-client"), 2, "NAME");
  ExpectOneSentence(Ended("helloworld-client", {"John", "--nonsense"}), 2, "--nonsense");
}

class RegistrationTest : public ::testing::Test {
 protected:
  static Result<ServiceInfo> LookUp(const std::string& name) {
    Service service({.name = "looker", .registry = "mdns", .registry_address = {"127.0.0.1"}});
    const auto found = service.registry().GetService(name);
    if (!found) return Failure(found.error());
    return found->front();
  }
};

TEST_F(RegistrationTest, SaysWhatGoMicroSays) {
  const std::string name = testing::UniqueServiceName("registration");
  Service service({.name = name,
                   .version = "1.2",
                   .id = "one",
                   .address = "127.0.0.1:0",
                   .metadata = {{"zone", "b"}},
                   .registry = "mdns",
                   .registry_address = {"127.0.0.1"}});
  service.Handle(Blocking(Echo));
  ASSERT_TRUE(service.Start());
  Result<ServiceInfo> found = NotFound("not yet");
  ASSERT_TRUE(Eventually([&] { return (found = LookUp(name)).has_value(); }));
  EXPECT_EQ(found->version, "1.2");
  ASSERT_EQ(found->nodes.size(), 1U);
  const Node& node = found->nodes.front();
  EXPECT_EQ(node.id, name + "-one");
  EXPECT_EQ(node.address, service.address());
  EXPECT_EQ(node.metadata, (std::map<std::string, std::string>{{"broker", "eats"},
                                                               {"protocol", "grpc"},
                                                               {"registry", "mdns"},
                                                               {"server", "grpc"},
                                                               {"transport", "grpc"},
                                                               {"zone", "b"}}));
  ASSERT_EQ(found->endpoints.size(), 2U);
  EXPECT_EQ(found->endpoints[0].name, "Test.Call");
  EXPECT_EQ(found->endpoints[1].name, "Test.Look");
  EXPECT_EQ(found->endpoints[0].request.type, "Request");
  service.Stop();
  EXPECT_TRUE(Eventually([&] { return !LookUp(name); }));
}

TEST_F(RegistrationTest, TheIdIsRandomUnlessGiven) {
  const Service one({.name = "a", .registry = "memory"});
  const Service two({.name = "a", .registry = "memory"});
  EXPECT_EQ(one.options().id.size(), 36U);
  EXPECT_NE(one.options().id, two.options().id);
}

}  // namespace
}  // namespace micro::e2e
