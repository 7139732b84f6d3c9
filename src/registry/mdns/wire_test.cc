// What the mDNS registry sends and takes, seen by sockets that are not its own: they play the nodes
// and the clients of go-micro v2.2.0 and v2.9.1 on the loopback interface.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "micro/metrics.h"
#include "micro/testing/registry_conformance.h"

#include "registry/mdns/answers.h"
#include "registry/mdns/links.h"
#include "registry/mdns/mdns.h"
#include "registry/mdns/udp_socket.h"

namespace micro::mdns {
namespace {

using namespace std::chrono_literals;
using testing::Eventually;
using testing::UniqueServiceName;

Link Loopback() { return ChooseLinks({"127.0.0.1"}).value().at(0); }

std::shared_ptr<Registry> OnLoopback() {
  return MakeMdnsRegistry({.addresses = {"127.0.0.1"}}).value();
}

// A peer's socket: reads with patience.
class Peer4 {
 public:
  static Peer4 Client() { return Peer4(UdpSocket::ForQueries(Loopback()).value()); }
  static Peer4 Node() {
    Peer4 node(UdpSocket::BindGroupPort(UdpSocket::Family::kV4).value());
    EXPECT_TRUE(node.socket.Join(Loopback()));
    return node;
  }

  // The next datagram that `wanted` takes; nothing when none comes.
  template <typename Wanted>
  std::optional<std::string> Next(Wanted wanted) {
    std::optional<std::string> found;
    testing::Eventually([&] {
      while (const auto datagram = socket.Receive(buffer)) {
        if (!wanted(datagram->payload)) continue;
        found = datagram->payload;
        from = datagram->from;
        return true;
      }
      return false;
    });
    return found;
  }

  std::optional<std::string> NextAbout(const std::string& name) {
    return Next([&](std::string_view packet) {
      const auto message = Parse(packet);
      if (!message) return false;
      for (const Record& each : message->answers) {
        if (each.name.ToText().ends_with(name)) return true;
      }
      for (const Question& each : message->questions) {
        if (each.name.ToText().ends_with(name)) return true;
      }
      return false;
    });
  }

  UdpSocket socket;
  Peer from{};
  std::vector<char> buffer = std::vector<char>(kMaxDatagramOctets);

 private:
  explicit Peer4(UdpSocket opened) : socket(std::move(opened)) {}
};

ServiceInfo OneNode(const std::string& name) {
  return {.name = name,
          .version = "latest",
          .nodes = {{.id = name + "-1", .address = "127.0.0.1:41897", .metadata = {{"a", "b"}}}}};
}

// DNS on the wire, put together by hand.
std::string U16(std::size_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

std::string Labels(std::string_view dotted) {
  std::string wire;
  while (!dotted.empty()) {
    const std::string_view label = dotted.substr(0, dotted.find('.'));
    wire += static_cast<char>(label.size());
    wire += label;
    dotted.remove_prefix(std::min(label.size() + 1, dotted.size()));
  }
  return wire;
}

TEST(MdnsWireTest, AnswersAQueryOctetByOctetAsGoMicroDoes) {
  const auto registry = OnLoopback();
  const ServiceInfo service = OneNode(UniqueServiceName("bytes"));
  ASSERT_TRUE(registry->Register(service, {}));
  Peer4 client = Peer4::Client();
  const std::string question = Labels(service.name + ".micro") + std::string("\0\0\x0c\0\1", 5);
  const std::string query = U16(39889) + std::string("\0\0\0\1\0\0\0\0\0\0", 10) + question;
  ASSERT_TRUE(client.socket.SendToGroup(Loopback(), query));
  const auto answer = client.NextAbout(service.name + ".micro");
  ASSERT_TRUE(answer);

  const std::string ttl_in("\0\1\0\0\0\x78", 6);
  const std::string to_service = "\xc0\x0c";
  const std::string id = Labels(service.nodes[0].id);
  const std::string instance_at = U16(0xc000 | (12 + question.size() + 12));
  const std::string host = HostName().wire();
  std::string text;
  const auto strings =
      EncodeTxt({service.name, service.version, {}, service.nodes[0].metadata}).value();
  for (const std::string& each : strings) {
    text += static_cast<char>(each.size());
    text += each;
  }
  std::string expected = std::string("\0\0\x84\0\0\1\0\4\0\0\0\0", 12) + question;
  expected += to_service + U16(12) + ttl_in;
  expected += U16(id.size() + 2) + id + to_service;
  expected +=
      instance_at + U16(33) + ttl_in + U16(6 + host.size()) + U16(10) + U16(1) + U16(41897) + host;
  expected += host + U16(1) + ttl_in + U16(4) + std::string("\x7f\0\0\1", 4);
  expected += instance_at + U16(16) + ttl_in + U16(text.size()) + text;
  EXPECT_EQ(*answer, expected);
  EXPECT_EQ(client.from.address().to_string(), "127.0.0.1");
}

TEST(MdnsWireTest, AnnouncesAndTakesBackAsGoMicroDoes) {
  Peer4 node = Peer4::Node();
  const ServiceInfo service = OneNode(UniqueServiceName("announce"));
  const auto registry = OnLoopback();
  ASSERT_TRUE(registry->Register(service, {}));
  const Instance instance = MakeInstance(service, service.nodes[0]).value();
  const auto first = node.NextAbout(service.name + ".micro");
  ASSERT_TRUE(first);
  EXPECT_EQ(Parse(*first), Announcement(instance, HostName(), 120));
  EXPECT_EQ(Parse(*first)->flags, 0x8000);
  EXPECT_TRUE(Parse(*first)->questions.empty());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(node.NextAbout(service.name + ".micro"), first) << "again after a second";
  EXPECT_GT(std::chrono::steady_clock::now() - start, 500ms);
  ASSERT_TRUE(registry->Deregister(service));
  EXPECT_EQ(Parse(node.NextAbout(service.name + ".micro").value()),
            Announcement(instance, HostName(), 0));
}

TEST(MdnsWireTest, AChangedNodeIsTakenBackAndAnnouncedAnew) {
  Peer4 node = Peer4::Node();
  ServiceInfo service = OneNode(UniqueServiceName("update"));
  const auto registry = OnLoopback();
  ASSERT_TRUE(registry->Register(service, {}));
  ASSERT_TRUE(registry->Register(service, {}));
  const Instance before = MakeInstance(service, service.nodes[0]).value();
  service.nodes[0].address = "127.0.0.1:1234";
  const Instance after = MakeInstance(service, service.nodes[0]).value();
  ASSERT_TRUE(registry->Register(service, {}));
  for (const auto& [instance, ttl] :
       {std::pair(before, kTtl), std::pair(before, 0U), std::pair(after, kTtl)}) {
    EXPECT_EQ(Parse(node.NextAbout(service.name + ".micro").value()),
              Announcement(instance, HostName(), ttl));
  }
}

TEST(MdnsWireTest, AResponseWithAQuestionGetsNoAnswer) {
  const auto registry = OnLoopback();
  const ServiceInfo service = OneNode(UniqueServiceName("response"));
  ASSERT_TRUE(registry->Register(service, {}));
  Peer4 client = Peer4::Client();
  Message query{.id = 5, .flags = 0x8400};
  query.questions = {{Name::FromText(service.name + ".micro").value(), Type::kPtr}};
  ASSERT_TRUE(client.socket.SendToGroup(Loopback(), Build(query).value()));
  query.flags = 0;
  query.questions[0].klass = 0x8001;
  ASSERT_TRUE(client.socket.SendToGroup(Loopback(), Build(query).value()));
  // Answers come in the order of the queries, and only the second one asks for its id.
  EXPECT_EQ(Parse(client.NextAbout(service.name + ".micro").value())->id, 5);
}

TEST(MdnsWireTest, NoiseOnThePortIsNoConcern) {
  const auto registry = OnLoopback();
  const ServiceInfo service = OneNode(UniqueServiceName("noise"));
  ASSERT_TRUE(registry->Register(service, {}));
  Peer4 client = Peer4::Client();
  for (std::size_t size = 0; size < 100; ++size) {
    ASSERT_TRUE(client.socket.SendToGroup(Loopback(), std::string(size, '\xff')));
  }
  EXPECT_TRUE(registry->GetService(service.name));
}

// Plays go-micro's nodes: hears a lookup for `service` and sends back what `answer` makes of it.
class FakeNode {
 public:
  using Answer = std::function<std::vector<Message>(const Message&)>;

  FakeNode(const std::string& service, Answer answer)
      : thread_([this, name = service + ".micro", answer = std::move(answer)] {
          while (!stop_) {
            const auto datagram = node_.socket.Receive(node_.buffer);
            if (!datagram) {
              std::this_thread::sleep_for(200us);
              continue;
            }
            const auto query = Parse(datagram->payload);
            if (!query || query->is_response() || query->questions.empty()) continue;
            if (query->questions[0].name.ToText() != name) continue;
            ++queries_;
            for (const Message& message : answer(*query)) {
              EXPECT_TRUE(node_.socket.SendTo(datagram->from, Build(message).value()));
            }
          }
        }) {}
  FakeNode(const FakeNode&) = delete;
  FakeNode& operator=(const FakeNode&) = delete;
  ~FakeNode() {
    stop_ = true;
    thread_.join();
  }

  int queries() const { return queries_; }

 private:
  Peer4 node_ = Peer4::Node();
  std::atomic<bool> stop_ = false;
  std::atomic<int> queries_ = 0;
  std::thread thread_;
};

Message AnswerOf(const Message& query, const Instance& instance, bool echo) {
  const std::vector<const Instance*> instances = {&instance};
  Message answer = AnswersTo(query, instances, Name::FromText("vm").value()).at(0);
  if (!echo) answer.questions.clear();
  return answer;
}

TEST(MdnsWireTest, FindsNodesOfEveryGoMicroVersion) {
  const std::string name = UniqueServiceName("go");
  for (const bool echo : {false, true}) {  // v2.2.0 does not repeat the question, v2.9.1 does
    const ServiceInfo service = OneNode(name);
    const Instance instance = MakeInstance(service, service.nodes[0]).value();
    const FakeNode node(
        name, [&](const Message& query) { return std::vector{AnswerOf(query, instance, echo)}; });
    const auto found = OnLoopback()->GetService(name);
    ASSERT_TRUE(found) << found.error().detail();
    EXPECT_EQ(*found, std::vector{service}) << echo;
  }
}

TEST(MdnsWireTest, TakesSeveralNodesInOnePacketInAnyOrder) {
  const std::string name = UniqueServiceName("many");
  ServiceInfo service = OneNode(name);
  service.nodes.push_back({.id = name + "-2", .address = "[fd00::2]:2"});
  const FakeNode node(name, [&](const Message& query) {
    Message answer{.id = query.id, .flags = 0x8400};
    for (const Node& each : service.nodes) {
      const Instance instance = MakeInstance(service, each).value();
      for (Record& record : RecordsOf(instance, Name::FromText(each.id).value(), 10)) {
        record.klass = 0x8001;
        answer.additional.push_back(std::move(record));
      }
    }
    std::ranges::reverse(answer.additional);
    return std::vector{answer};
  });
  auto found = OnLoopback()->GetService(name);
  ASSERT_TRUE(found) << found.error().detail();
  ASSERT_EQ(found->size(), 1U);
  std::ranges::sort((*found)[0].nodes, {}, &Node::id);
  EXPECT_EQ((*found)[0], service);
}

TEST(MdnsWireTest, IgnoresAnswersThatAreGoneOrOfAnotherService) {
  const std::string name = UniqueServiceName("strict");
  const FakeNode node(name, [&](const Message& query) {
    const ServiceInfo service = OneNode(name);
    const Instance instance = MakeInstance(service, service.nodes[0]).value();
    const ServiceInfo other = OneNode("sub." + name);
    const Instance foreign = MakeInstance(other, other.nodes[0]).value();
    Message gone = AnswerOf(query, instance, true);
    for (Record& record : gone.answers) record.ttl = 0;
    Message wrong{.flags = 0x8400, .questions = query.questions};
    wrong.answers = RecordsOf(foreign, HostName(), 120);
    return std::vector{gone, wrong};
  });
  const auto found = OnLoopback()->GetService(name);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kNotFound);
  EXPECT_THAT(found.error().detail(), ::testing::HasSubstr("sub." + name));
}

TEST(MdnsWireTest, AsksAgainWhenTheFirstAnswerIsLost) {
  const std::string name = UniqueServiceName("lost");
  const ServiceInfo service = OneNode(name);
  const Instance instance = MakeInstance(service, service.nodes[0]).value();
  std::atomic<int> asked = 0;
  const FakeNode node(name, [&](const Message& query) {
    if (++asked == 1) return std::vector<Message>{};
    return std::vector{AnswerOf(query, instance, true)};
  });
  EXPECT_TRUE(OnLoopback()->GetService(name));
  EXPECT_EQ(asked, 2);
}

TEST(MdnsWireTest, WatchTellsGoMicrosAnnouncementsOnce) {
  const ServiceInfo service = OneNode(UniqueServiceName("watched"));
  const Instance instance = MakeInstance(service, service.nodes[0]).value();
  const auto registry = OnLoopback();
  testing::ChangeLog log;
  const auto watch = registry->Watch(service.name, log.watcher());
  Peer4 node = Peer4::Client();
  const std::string hello = Build(Announcement(instance, HostName(), 120)).value();
  const std::string goodbye = Build(Announcement(instance, HostName(), 0)).value();
  Instance last = instance;
  last.instance = Name::FromText("last." + service.name + ".micro").value();
  const std::string end = Build(Announcement(last, HostName(), 120)).value();
  for (const std::string& packet : {hello, hello, hello, goodbye, goodbye, end}) {
    ASSERT_TRUE(node.socket.SendToGroup(Loopback(), packet));
  }
  EXPECT_TRUE(log.WaitForCreate(service.nodes[0].id));
  EXPECT_TRUE(log.WaitForDelete(service.nodes[0].id));
  EXPECT_TRUE(Eventually([&] { return log.size() == 1; })) << "the last one's, and nothing else";
  EXPECT_TRUE(log.WaitForCreate("last"));
}

// An announcement of `instance` with another TTL than go-micro's.
std::string Announce(const Instance& instance, std::uint32_t ttl) {
  return Build(Announcement(instance, HostName(), ttl)).value();
}

TEST(MdnsWireTest, ANodeThatCrashedIsToldAsDeletedWhenItsTtlHasRunOut) {
  const ServiceInfo service = OneNode(UniqueServiceName("crashed"));
  const Instance instance = MakeInstance(service, service.nodes[0]).value();
  const auto registry = OnLoopback();
  testing::ChangeLog log;
  const auto watch = registry->Watch(service.name, log.watcher());
  Peer4 node = Peer4::Node();
  ASSERT_TRUE(node.socket.SendToGroup(Loopback(), Announce(instance, 1)));
  EXPECT_TRUE(log.WaitForCreate(service.nodes[0].id));
  const auto query = node.NextAbout(service.name + ".micro");
  EXPECT_TRUE(log.WaitForDelete(service.nodes[0].id));
}

TEST(MdnsWireTest, ANodeFoundByALookupExpiresToo) {
  const std::string name = UniqueServiceName("found");
  const ServiceInfo service = OneNode(name);
  const Instance instance = MakeInstance(service, service.nodes[0]).value();
  const auto registry = OnLoopback();
  testing::ChangeLog log;
  const auto watch = registry->Watch(name, log.watcher());
  {
    const FakeNode node(name, [&](const Message& query) {
      Message answer = AnswerOf(query, instance, false);
      for (Record& record : answer.answers) record.ttl = 1;
      return std::vector{answer};
    });
    ASSERT_TRUE(Eventually([&] { return registry->GetService(name).has_value(); }));
  }
  EXPECT_TRUE(log.WaitForDelete(service.nodes[0].id));
}

TEST(MdnsWireTest, ANodeThatIsSilentIsAskedAndKeptForAsLongAsItAnswers) {
  const std::string name = UniqueServiceName("asked");
  const ServiceInfo service = OneNode(name);
  const Instance instance = MakeInstance(service, service.nodes[0]).value();
  const auto registry = OnLoopback();
  testing::ChangeLog log;
  const auto watch = registry->Watch(name, log.watcher());
  std::atomic<bool> alive = true;
  const FakeNode node(name, [&](const Message& query) {  // of v2.2.0: echoes no question
    Message answer = AnswerOf(query, instance, false);
    for (Record& record : answer.answers) record.ttl = 2;
    return alive ? std::vector{answer} : std::vector<Message>{};
  });
  Peer4 announcing = Peer4::Client();
  ASSERT_TRUE(announcing.socket.SendToGroup(Loopback(), Announce(instance, 2)));
  EXPECT_TRUE(log.WaitForCreate(service.nodes[0].id));
  EXPECT_TRUE(Eventually([&] { return node.queries() >= 3; }));
  EXPECT_EQ(log.size(), 0U);
  alive = false;
  EXPECT_TRUE(log.WaitForDelete(service.nodes[0].id));
}

TEST(MdnsWireTest, AListAskedAgainNamesWhatIsKnown) {
  const auto registry = OnLoopback();
  const ServiceInfo service = OneNode(UniqueServiceName("listed"));
  ASSERT_TRUE(registry->Register(service, {}));
  Peer4 witness = Peer4::Node();
  const auto listed = registry->ListServices();
  ASSERT_TRUE(listed);
  const Name entry = Name::FromText(service.name + "._services.micro").value();
  EXPECT_TRUE(witness.Next([&](std::string_view packet) {
    const auto message = Parse(packet);
    return message && !message->is_response() &&
           std::ranges::find(message->answers, RecordData(Ptr{entry}), &Record::data) !=
               message->answers.end();
  }));
}

TEST(MdnsWireTest, BadRecordsAreCountedAndTheGoodOnesKept) {
  Metrics metrics;
  const auto registry = MakeMdnsRegistry({.addresses = {"127.0.0.1"}, .metrics = &metrics}).value();
  Counter& bad = metrics.GetCounter("micro_registry_bad_records_total", "", {{"registry", "mdns"}});
  const std::string name = UniqueServiceName("strangers");
  ServiceInfo service = OneNode(name);
  service.nodes.push_back({.id = name + "-2", .address = "127.0.0.1:2"});
  const Instance good = MakeInstance(service, service.nodes[0]).value();
  const Instance liar = MakeInstance(service, service.nodes[1]).value();

  const std::string hello = Announce(good, 120);
  std::string cyclic("\0\0\x84\0\0\0\0\1\0\0\0\0\xc0\x0c\0\x21\0\1\0\0\0\x78\0\0", 24);
  Message lying = Announcement(liar, HostName(), 120);
  std::get<Txt>(lying.answers[2].data).strings = PackTxt(R"({"Service":"bank"})").value();
  Message wrong_type = Announcement(liar, HostName(), 120);
  std::get<Txt>(wrong_type.answers[2].data).strings = PackTxt(R"({"Service":[1]})").value();
  Message no_address = Announcement(liar, HostName(), 120);
  no_address.answers[1].data = A{{255, 255, 255, 255}};
  Message nowhere = Announcement(liar, HostName(), 120);
  nowhere.answers[1].data = A{{0, 0, 0, 0}};

  testing::ChangeLog log;
  const auto watch = registry->Watch(name, log.watcher());
  Peer4 stranger = Peer4::Client();
  const std::vector<std::string> packets = {
      hello.substr(0, hello.size() - 1), hello.substr(0, 11),   cyclic,
      std::string(60'000, '\xff'),       Build(lying).value(),  Build(wrong_type).value(),
      Build(no_address).value(),         Build(nowhere).value()};
  for (const std::string& packet : packets) {
    ASSERT_TRUE(stranger.socket.SendToGroup(Loopback(), packet));
  }
  EXPECT_TRUE(Eventually([&] { return bad.value() >= packets.size(); }))
      << bad.value() << " of " << packets.size();
  ASSERT_TRUE(stranger.socket.SendToGroup(Loopback(), hello));
  EXPECT_TRUE(log.WaitForCreate(service.nodes[0].id));
  EXPECT_EQ(log.size(), 0U);

  const FakeNode node(name, [&](const Message& query) {
    Message bad_answer = AnswerOf(query, liar, true);
    std::get<Txt>(bad_answer.answers[3].data).strings = {"zz"};
    return std::vector{bad_answer, AnswerOf(query, good, true)};
  });
  service.nodes.pop_back();
  EXPECT_TRUE(Eventually([&] { return registry->GetService(name) == std::vector{service}; }));
}

TEST(MdnsWireTest, NotFoundSaysHowMuchWasNotUnderstood) {
  const std::string name = UniqueServiceName("garbled");
  const ServiceInfo service = OneNode(name);
  const Instance instance = MakeInstance(service, service.nodes[0]).value();
  const FakeNode node(name, [&](const Message& query) {
    Message answer = AnswerOf(query, instance, true);
    std::get<Txt>(answer.answers[3].data).strings = {"zz"};
    return std::vector{answer};
  });
  const auto registry = OnLoopback();
  EXPECT_TRUE(Eventually([&] {
    const auto found = registry->GetService(name);
    return !found && found.error().detail().contains(" 2 not understood");
  }));
}

}  // namespace
}  // namespace micro::mdns
