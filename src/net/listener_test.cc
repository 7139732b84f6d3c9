#include "net/listener.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "micro/testing/registry_conformance.h"

#include "base/address.h"
#include "net/dial.h"
#include "net/testing/certificates.h"

namespace micro::net {
namespace {

using namespace std::chrono_literals;

class ListenerTest : public ::testing::Test {
 protected:
  // What is kept goes before its loops do; nothing is kept any more from here on.
  ~ListenerTest() override {
    {
      const std::lock_guard lock(mutex_);
      keep_ = false;
    }
    CloseKept();
  }

  Result<std::unique_ptr<Link>> DialTo(const std::string& address) {
    return Await(runtime_.loop(0), Dial(address, 30s));
  }

  Result<std::shared_ptr<Listener>> Listen(const std::string& address) {
    return Listener::Listen(runtime_, address, max_connections_,
                            [this](runtime::Loop& loop, std::unique_ptr<Link> link) {
                              const std::lock_guard lock(mutex_);
                              loops_.push_back(&loop);
                              if (keep_) kept_.emplace_back(&loop, std::move(link));
                              accepted_.notify_all();
                            });
  }

  // On their loops.
  void CloseKept() {
    for (auto& [loop, link] : kept_) {
      internal::Parker closed;
      loop->Post([&, link = std::move(link)]() mutable {
        link.reset();
        closed.Signal();
      });
      closed.Wait();
    }
    kept_.clear();
  }

  static bool WaitClosed(Link& link) {
    return micro::testing::Eventually([&] {
      std::array<std::uint8_t, 1> byte{};
      const ssize_t size = link.Read(byte);
      return size == 0 || (size < 0 && errno != EAGAIN);
    });
  }

  std::vector<runtime::Loop*> WaitForAccepted(std::size_t count) {
    std::unique_lock lock(mutex_);
    accepted_.wait_for(lock, 10s, [&] { return loops_.size() >= count; });
    return loops_;
  }

  std::size_t max_connections_ = 100;
  bool keep_ = false;
  std::mutex mutex_;
  std::condition_variable accepted_;
  std::vector<runtime::Loop*> loops_;
  std::vector<std::pair<runtime::Loop*, std::unique_ptr<Link>>> kept_;
  Runtime runtime_{{.loops = 2}};
};

TEST_F(ListenerTest, TheAddressHasTheRealPort) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener);
  const auto address = ParseHostPort((*listener)->address());
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_NE(address->port, 0);
}

TEST_F(ListenerTest, ConnectionsAreDealtOutToTheLoopsInTurn) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener);
  std::vector<Result<std::unique_ptr<Link>>> links;
  for (int i = 0; i < 4; ++i) {
    links.push_back(DialTo((*listener)->address()));
    ASSERT_TRUE(links.back());
  }
  const auto loops = WaitForAccepted(4);
  ASSERT_EQ(loops.size(), 4U);
  EXPECT_EQ(std::count(loops.begin(), loops.end(), &runtime_.loop(0)), 2);
  EXPECT_EQ(std::count(loops.begin(), loops.end(), &runtime_.loop(1)), 2);
}

TEST_F(ListenerTest, WithoutAHostAllInterfacesAreListenedOn) {
  const auto listener = Listen(":0");
  ASSERT_TRUE(listener);
  const auto port = ParseHostPort((*listener)->address())->port;
  EXPECT_TRUE(DialTo(JoinHostPort("127.0.0.1", port)));
}

TEST_F(ListenerTest, APortInUseIsAFailedPreconditionInOneSentence) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener);
  const auto again = Listen((*listener)->address());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(again.error().phase(), Phase::kConfigure);
  EXPECT_EQ(again.error().detail(),
            "cannot listen on " + (*listener)->address() + ": Address already in use");
}

TEST_F(ListenerTest, AnAddressThatIsNotOursIsAFailedPrecondition) {
  for (const std::string address : {"192.0.2.1:0", "nonsense", "127.0.0.1:99999", "127.0.0.1"}) {
    const auto listener = Listen(address);
    ASSERT_FALSE(listener) << address;
    EXPECT_EQ(listener.error().code(), Code::kFailedPrecondition) << address;
    EXPECT_EQ(listener.error().phase(), Phase::kConfigure) << address;
  }
}

TEST_F(ListenerTest, AClosedListenerRefuses) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener);
  const std::string address = (*listener)->address();
  (*listener)->Close();
  ASSERT_TRUE(Await(runtime_.loop(0), Sleep(0ns)));  // behind the close, which is posted
  EXPECT_FALSE(DialTo(address));
  EXPECT_TRUE(Listen(address));
}

TEST_F(ListenerTest, ConnectionsBeyondTheLimitAreClosedAndOthersTakeTheirPlaces) {
  max_connections_ = 2;
  keep_ = true;
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener);
  auto first = DialTo((*listener)->address());
  auto second = DialTo((*listener)->address());
  ASSERT_EQ(WaitForAccepted(2).size(), 2U);
  auto third = DialTo((*listener)->address());
  ASSERT_TRUE(third);
  EXPECT_TRUE(WaitClosed(**third));
  EXPECT_EQ(loops_.size(), 2U);
  Await(runtime_.loop(0), Sleep(0ns)).value();
  CloseKept();
  ASSERT_TRUE(DialTo((*listener)->address()));
  EXPECT_EQ(WaitForAccepted(3).size(), 3U);
}

TEST_F(ListenerTest, AUnixSocketIsForOwnerAndGroupAndGoesWithItsListener) {
  const testing::Folder folder;
  const std::string path = folder / "x.sock";
  {
    const auto listener = Listen("unix://" + path);
    ASSERT_TRUE(listener);
    EXPECT_EQ((*listener)->address(), "unix://" + path);
    struct stat found{};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0117U, 0U) << std::oct << found.st_mode;
    EXPECT_EQ(found.st_mode & 0600U, 0600U) << std::oct << found.st_mode;
    (*listener)->Close();
    ASSERT_TRUE(Await(runtime_.loop(0), Sleep(0ns)));  // behind the close, which is posted
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ListenerTest, ASocketFileThatNobodyListensOnIsReplaced) {
  const testing::Folder folder;
  const std::string path = folder / "x.sock";
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(name.sun_path, path.size());
  const int left = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(left, reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  ::close(left);
  EXPECT_TRUE(Listen("unix://" + path));
}

TEST_F(ListenerTest, ASocketFileInUseIsAFailedPrecondition) {
  const testing::Folder folder;
  const std::string address = "unix://" + folder / "x.sock";
  const auto listener = Listen(address);
  ASSERT_TRUE(listener);
  const auto again = Listen(address);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().detail(), "cannot listen on " + address + ": Address already in use");
  EXPECT_TRUE(DialTo(address));
}

TEST_F(ListenerTest, AFileThatIsNoSocketStays) {
  const testing::Folder folder;
  std::ofstream(folder / "precious") << "text";
  const auto listener = Listen("unix://" + folder / "precious");
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().phase(), Phase::kConfigure);
  EXPECT_TRUE(std::filesystem::exists(folder / "precious"));
}

TEST_F(ListenerTest, TheFileOfAnotherListenerStays) {
  const testing::Folder folder;
  const std::string path = folder / "x.sock";
  const auto first = Listen("unix://" + path);
  ASSERT_TRUE(first);
  std::filesystem::remove(path);
  const auto second = Listen("unix://" + path);
  ASSERT_TRUE(second);
  (*first)->Close();
  ASSERT_TRUE(Await(runtime_.loop(0), Sleep(0ns)));
  EXPECT_TRUE(DialTo("unix://" + path));
}

}  // namespace
}  // namespace micro::net
