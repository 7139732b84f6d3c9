// One member of a fleet, told by lines on its standard input what to do; gomicro/discovery is the
// same in Go. Each line but those of `watch` and `first` gets one line in answer.
//
//     register SERVICE ID ADDRESS    ok | error WHY
//     deregister SERVICE ID ADDRESS  ok | error WHY
//     get SERVICE                    nodes ID@ADDRESS... | error WHY
//     list                           services NAME...
//     watch SERVICE                  ok; then: event create|update|delete SERVICE ID
//     join SERVICE ID                ok once it serves; then: first MILLISECONDS, to its first call
//     leave                          ok once it has left
//     last                           last MILLISECONDS, from its leave to its last call
//     call SERVICE                   ok; calls about once a millisecond from then on
//     calls                          calls ANSWERED FAILED, since it was asked before
#include <atomic>
#include <chrono>
#include <iostream>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include <micro/micro.h>

#include "discovery/node.micro.h"

namespace {

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Lines from several threads come one after another.
void Say(const std::string& line) {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  std::cout << line << std::endl;
}

std::string Outcome(const micro::Status& status) {
  return status ? "ok" : "error " + status.error().ToString();
}

// When a node joined and left, and was called in between.
class Times {
 public:
  void Join() {
    const std::scoped_lock lock(mutex_);
    joined_ = Clock::now();
    called_ = false;
  }
  void Leave() {
    const std::scoped_lock lock(mutex_);
    left_ = last_ = Clock::now();
  }
  void Called() {
    const std::scoped_lock lock(mutex_);
    last_ = Clock::now();
    if (!std::exchange(called_, true)) {
      Say("first " + std::to_string(MillisecondsSince(joined_)));
    }
  }
  double Last() const {
    const std::scoped_lock lock(mutex_);
    return std::chrono::duration<double, std::milli>(last_ - left_).count();
  }

 private:
  mutable std::mutex mutex_;
  bool called_ = false;
  Clock::time_point joined_;
  Clock::time_point left_;
  Clock::time_point last_;
};

struct Node : interop::NodeHandler {
  explicit Node(std::shared_ptr<Times> when) : times(std::move(when)) {}
  micro::Result<interop::Beat> Ping(micro::Context&, const interop::Beat& beat) override {
    times->Called();
    return beat;
  }
  std::shared_ptr<Times> times;
};

// Calls a service until it ends.
class Caller {
 public:
  Caller(const std::string& service, micro::Client& client)
      : thread_([this, node = interop::NodeClient(service, client)] { Run(node); }) {}
  ~Caller() {
    stop_ = true;
    thread_.join();
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  std::string Counts() {
    return "calls " + std::to_string(answered_.exchange(0)) + " " +
           std::to_string(failed_.exchange(0));
  }

 private:
  void Run(const interop::NodeClient& node) {
    while (!stop_) {
      ++(node.Ping({}) ? answered_ : failed_);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int> answered_ = 0;
  std::atomic<int> failed_ = 0;
  std::thread thread_;
};

class Member {
 public:
  Member(int argc, char** argv)
      : argc_(argc), argv_(argv), service_({.name = "interop.discovery"}, argc, argv) {}

  const micro::Status& status() const { return service_.status(); }
  std::string Do(const std::string& command, std::istream& words);

 private:
  static micro::ServiceInfo ReadNode(std::istream& words) {
    std::string name;
    std::string id;
    std::string address;
    words >> name >> id >> address;
    return {.name = name, .version = "latest", .nodes = {{.id = id, .address = address}}};
  }

  std::string Get(const std::string& name);
  std::string List();
  std::string Watch(const std::string& name);
  std::string Join(const std::string& name, const std::string& id);
  std::string Leave();

  int argc_;
  char** argv_;
  micro::Service service_;
  std::list<micro::Subscription> watches_;
  std::shared_ptr<Times> times_ = std::make_shared<Times>();
  std::unique_ptr<micro::Service> joined_;
  std::unique_ptr<Caller> caller_;
};

std::string Member::Get(const std::string& name) {
  const auto services = service_.registry().GetService(name);
  if (!services) return "error " + services.error().ToString();
  std::set<std::string> nodes;
  for (const micro::ServiceInfo& service : *services) {
    for (const micro::Node& node : service.nodes) nodes.insert(node.id + "@" + node.address);
  }
  std::string line = "nodes";
  for (const std::string& node : nodes) line += " " + node;
  return line;
}

std::string Member::List() {
  const auto services = service_.registry().ListServices();
  if (!services) return "error " + services.error().ToString();
  std::string line = "services";
  for (const micro::ServiceInfo& service : *services) line += " " + service.name;
  return line;
}

std::string Member::Watch(const std::string& name) {
  auto watch = service_.registry().Watch(name, [](const micro::Change& change) {
    const bool created = change.kind == micro::Change::Kind::kCreate;
    const bool deleted = change.kind == micro::Change::Kind::kDelete;
    const std::string kind = created ? "create" : deleted ? "delete" : "update";
    for (const micro::Node& node : change.service.nodes) {
      Say("event " + kind + " " + change.service.name + " " + node.id);
    }
  });
  if (!watch) return "error " + watch.error().ToString();
  watches_.push_back(*std::move(watch));
  return "ok";
}

std::string Member::Join(const std::string& name, const std::string& id) {
  times_->Join();
  joined_ =
      std::make_unique<micro::Service>(micro::ServiceOptions{.name = name, .id = id}, argc_, argv_);
  joined_->Handle(std::make_unique<Node>(times_));
  return Outcome(joined_->Start());
}

std::string Member::Leave() {
  times_->Leave();
  if (joined_) joined_->Stop();
  return "ok";
}

std::string Member::Do(const std::string& command, std::istream& words) {
  if (command == "register") return Outcome(service_.registry().Register(ReadNode(words), {}));
  if (command == "deregister") return Outcome(service_.registry().Deregister(ReadNode(words)));
  if (command == "list") return List();
  if (command == "leave") return Leave();
  if (command == "last") return "last " + std::to_string(times_->Last());
  if (command == "calls") return caller_ ? caller_->Counts() : "error nobody calls";
  std::string name;
  std::string id;
  words >> name >> id;
  if (command == "get") return Get(name);
  if (command == "watch") return Watch(name);
  if (command == "join") return Join(name, id);
  if (command != "call") return "error there is no command " + command;
  caller_ = std::make_unique<Caller>(name, service_.client());
  return "ok";
}

}  // namespace

int main(int argc, char** argv) {
  Member member(argc, argv);
  if (!member.status()) return micro::Fail(member.status().error());
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    Say(member.Do(command, words));
  }
  return 0;
}
