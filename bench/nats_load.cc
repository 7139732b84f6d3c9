// Load for NATS servers, by raw sockets and blocks of messages that are made beforehand, so that
// what is measured is the server. Everything is bounded, and the program ends by itself.
//
//   bench-nats-load publish --port=N --publishers=1 --subscribers=1 --messages=100000 --size=16
//       [--publish_port=N] [--queue=NAME] [--pattern=bench.>] [--subjects=1]
//   bench-nats-load request --port=N --size=16 --window=1 --seconds=1
//   bench-nats-load idle --port=N --connections=1000
//
// --pids=A,B are the servers' processes, whose CPU time it measures.
#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "flag.h"
#include "measurement.h"
#include "nats_wire.h"

namespace {

using bench::Fail;
using bench::NatsWire;
using Clock = std::chrono::steady_clock;

struct Flags {
  int argc;
  char** argv;

  std::string Text(std::string_view name, const std::string& otherwise) const {
    return bench::FlagValue(argc, argv, name, otherwise);
  }
  std::uint64_t Number(std::string_view name, std::uint64_t otherwise) const {
    return std::strtoull(Text(name, std::to_string(otherwise)).c_str(), nullptr, 10);
  }
  std::uint16_t Port(std::string_view name, std::uint64_t otherwise = 0) const {
    return static_cast<std::uint16_t>(Number(name, otherwise));
  }
};

std::vector<int> PidsOf(const Flags& flags) {
  std::vector<int> pids;
  std::string rest = flags.Text("pids", "");
  while (!rest.empty()) {
    pids.push_back(std::atoi(rest.c_str()));
    const auto comma = rest.find(',');
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
  }
  return pids;
}

// Seconds of CPU that the processes have taken, from the clock that Linux keeps of each.
double CpuOf(const std::vector<int>& pids) {
  double seconds = 0;
  for (const int pid : pids) {
    timespec spent{};
    if (::clock_gettime(~static_cast<clockid_t>(pid) << 3 | 2, &spent) != 0) Fail("a server died");
    seconds += static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
  }
  return seconds;
}

// Of /proc/PID/status, in KiB.
std::uint64_t MemoryOf(const std::vector<int>& pids, const std::string& what) {
  std::uint64_t sum = 0;
  for (const int pid : pids) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(what + ":"))
        sum += std::strtoull(line.c_str() + what.size() + 1, nullptr, 10);
    }
  }
  return sum;
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A number of always the same width, so that all messages are of one length.
std::string Padded(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(7 - std::min<std::size_t>(7, digits.size()), '0') + digits;
}

// --- publish and subscribe --------------------------------------------------------------------

struct Shape {
  std::uint16_t port;
  std::uint16_t publish_port;
  std::uint64_t publishers;
  std::uint64_t subscribers;
  std::uint64_t messages;
  std::uint64_t subjects;
  std::size_t size;
  std::string queue;
  std::string pattern;
};

Shape ShapeOf(const Flags& flags) {
  Shape shape{.port = flags.Port("port"),
              .publish_port = flags.Port("publish_port", flags.Port("port")),
              .publishers = flags.Number("publishers", 1),
              .subscribers = flags.Number("subscribers", 1),
              .messages = flags.Number("messages", 100000),
              .subjects = flags.Number("subjects", 1),
              .size = flags.Number("size", 16),
              .queue = flags.Text("queue", ""),
              .pattern = flags.Text("pattern", "")};
  shape.messages -= shape.messages % shape.publishers;
  return shape;
}

std::string SubjectOf(std::uint64_t number) { return "bench." + Padded(number); }

// What one subscriber says. Its number of a subject is as wide as any.
std::string SubscriptionsOf(const Shape& shape) {
  const std::string queue = shape.queue.empty() ? "" : " " + shape.queue;
  if (!shape.pattern.empty()) return "SUB " + shape.pattern + queue + " " + Padded(0) + "\r\n";
  std::string lines;
  for (std::uint64_t i = 0; i < shape.subjects; ++i) {
    lines += "SUB " + SubjectOf(i) + queue + " " + Padded(i) + "\r\n";
  }
  return lines;
}

std::size_t FrameOf(const Shape& shape) {
  const std::string line =
      "MSG " + SubjectOf(0) + " " + Padded(0) + " " + std::to_string(shape.size) + "\r\n";
  return line.size() + shape.size + 2;
}

// Whole rounds of the subjects, of 64 KiB and more. All messages are equally long.
std::string BlockOf(const Shape& shape, std::size_t& frame) {
  std::string block;
  const std::string payload(shape.size, 'x');
  do {
    for (std::uint64_t i = 0; i < shape.subjects; ++i) {
      const std::size_t before = block.size();
      block += "PUB " + SubjectOf(i) + " " + std::to_string(shape.size) + "\r\n";
      block += payload;
      block += "\r\n";
      frame = block.size() - before;
    }
  } while (block.size() < 65536);
  return block;
}

void Publish(const NatsWire& wire, const std::string& block, std::size_t frame,
             std::uint64_t messages) {
  std::uint64_t left = messages * frame;
  while (left > 0) {
    const std::size_t part = std::min<std::uint64_t>(left, block.size());
    wire.Send(std::string_view(block).substr(0, part));
    left -= part;
  }
  wire.Settle();
}

// Counts what comes on all of the wires until it is `want` bytes. A PING among it is six bytes
// more, and less than a message.
class Drain {
 public:
  Drain(const std::vector<NatsWire>& wires, std::uint64_t want)
      : epoll_(::epoll_create1(0)), want_(want) {
    for (const NatsWire& wire : wires) {
      epoll_event event{.events = EPOLLIN, .data = {.fd = wire.descriptor()}};
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wire.descriptor(), &event);
    }
  }
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;
  ~Drain() { ::close(epoll_); }

  void Run() {
    std::vector<char> room(1U << 20U);
    std::array<epoll_event, 64> events{};
    while (came_ < want_) {
      const int ready =
          ::epoll_wait(epoll_, events.data(), events.size(), NatsWire::kPatience * 1000);
      if (ready <= 0)
        Fail("only " + std::to_string(came_) + " of " + std::to_string(want_) + " bytes came");
      for (int i = 0; i < ready; ++i) Take(events[static_cast<std::size_t>(i)].data.fd, room);
    }
    end_ = Clock::now();
  }

  Clock::time_point end() const { return end_; }

 private:
  void Take(int descriptor, std::vector<char>& room) {
    const ssize_t size = ::recv(descriptor, room.data(), room.size(), MSG_DONTWAIT);
    if (size == 0) Fail("the server has closed a subscriber");
    if (size > 0) came_ += static_cast<std::uint64_t>(size);
  }

  int epoll_;
  std::uint64_t want_;
  std::uint64_t came_ = 0;
  Clock::time_point end_;
};

// Until what is published at one server comes out of the other.
void AwaitInterest(const Shape& shape) {
  const NatsWire out(shape.port), in(shape.publish_port);
  out.Hello("SUB probe 1\r\n");
  in.Hello("");
  char byte = 0;
  const auto start = Clock::now();
  while (::recv(out.descriptor(), &byte, 1, MSG_DONTWAIT) <= 0) {
    if (SecondsSince(start) > NatsWire::kPatience) Fail("the servers do not find each other");
    in.Send("PUB probe 0\r\n\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::vector<NatsWire> Subscribe(const Shape& shape) {
  std::vector<NatsWire> wires;
  const std::string lines = SubscriptionsOf(shape);
  for (std::uint64_t i = 0; i < shape.subscribers; ++i) {
    wires.emplace_back(shape.port).Hello(lines);
  }
  return wires;
}

int RunPublish(const Flags& flags) {
  const Shape shape = ShapeOf(flags);
  const std::vector<int> pids = PidsOf(flags);
  const std::vector<NatsWire> subscribers = Subscribe(shape);
  if (shape.publish_port != shape.port) AwaitInterest(shape);
  std::vector<NatsWire> publishers;
  for (std::uint64_t i = 0; i < shape.publishers; ++i) {
    publishers.emplace_back(shape.publish_port).Hello("");
  }
  std::size_t frame = 0;
  const std::string block = BlockOf(shape, frame);
  const std::uint64_t copies = shape.queue.empty() ? shape.subscribers : 1;
  Drain drain(subscribers, shape.messages * copies * FrameOf(shape));

  const double cpu = CpuOf(pids);
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  for (const NatsWire& wire : publishers) {
    threads.emplace_back([&] { Publish(wire, block, frame, shape.messages / shape.publishers); });
  }
  if (shape.subscribers > 0) drain.Run();
  for (std::thread& thread : threads) thread.join();
  const double seconds = SecondsSince(start);
  const double spent = CpuOf(pids) - cpu;
  const auto messages = static_cast<double>(shape.messages);
  const double deliveries = messages * static_cast<double>(std::max<std::uint64_t>(copies, 1));
  std::printf("rate=%.0f deliveries=%.0f cpu=%.4f peak_kib=%llu\n", messages / seconds,
              deliveries / seconds, spent * 1e6 / messages,
              static_cast<unsigned long long>(MemoryOf(pids, "VmHWM")));
  return 0;
}

// --- request and reply ------------------------------------------------------------------------

// One message as it came; the views are good until the next is read.
struct Message {
  std::string_view reply;
  std::string_view payload;
};

// Reads whole messages off a wire.
class Reader {
 public:
  explicit Reader(const NatsWire& wire) : wire_(&wire) {}

  /// The next message among what has come; false when there is none, and then more is read: false
  /// at the end.
  bool Next(Message& message) {
    for (;;) {
      const auto end = in_.find("\r\n", at_);
      if (end == std::string::npos) return false;
      const std::string_view line(in_.data() + at_, end - at_);
      if (!line.starts_with("MSG ")) {
        if (line == "PING") wire_->Send("PONG\r\n");
        at_ = end + 2;
        continue;
      }
      const auto last = line.rfind(' ');
      const std::size_t size = std::strtoull(line.data() + last + 1, nullptr, 10);
      if (in_.size() < end + 2 + size + 2) return false;
      const auto before = line.rfind(' ', last - 1);
      message.reply = line.substr(before + 1, last - before - 1);
      message.payload = std::string_view(in_).substr(end + 2, size);
      at_ = end + 2 + size + 2;
      return true;
    }
  }
  bool Read() {
    in_.erase(0, at_);
    at_ = 0;
    const std::size_t before = in_.size();
    in_.resize(before + 65536);
    const ssize_t size = ::recv(wire_->descriptor(), in_.data() + before, 65536, 0);
    in_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return size > 0;
  }

 private:
  const NatsWire* wire_;
  std::string in_;
  std::size_t at_ = 0;
};

// Until the wire is shut down.
void Reply(const NatsWire& wire) {
  Reader reader(wire);
  std::string out;
  while (reader.Read()) {
    out.clear();
    for (Message request; reader.Next(request);) {
      out.append("PUB ").append(request.reply).append(" ");
      out.append(std::to_string(request.payload.size())).append("\r\n");
      out.append(request.payload).append("\r\n");
    }
    wire.Send(out);
  }
}

// Keeps `window` requests going, each with a reply subject of its own. One replier answers them in
// their order.
class Requester {
 public:
  Requester(const NatsWire& wire, std::size_t size, std::size_t window,
            bench::Measurement& measurement)
      : wire_(&wire), payload_(size, 'x'), starts_(window), measurement_(&measurement) {}

  void Run() {
    Reader reader(*wire_);
    std::string out;
    for (std::size_t i = 0; i < starts_.size(); ++i) Ask(out);
    wire_->Send(out);
    while (measurement_->Runs()) {
      if (!reader.Read()) Fail("no answer comes");
      out.clear();
      for (Message answer; reader.Next(answer);) {
        measurement_->Add(starts_[answered_++ % starts_.size()], true);
        Ask(out);
      }
      if (!out.empty()) wire_->Send(out);
    }
  }

 private:
  void Ask(std::string& out) {
    starts_[asked_ % starts_.size()] = Clock::now();
    out.append("PUB bench.request _INBOX.bench.").append(Padded(asked_++ % 10'000'000)).append(" ");
    out.append(std::to_string(payload_.size())).append("\r\n");
    out.append(payload_).append("\r\n");
  }

  const NatsWire* wire_;
  std::string payload_;
  std::vector<Clock::time_point> starts_;
  bench::Measurement* measurement_;
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
};

int RunRequest(const Flags& flags) {
  const std::vector<int> pids = PidsOf(flags);
  const NatsWire replier(flags.Port("port")), asker(flags.Port("port"));
  replier.Hello("SUB bench.request 1\r\n");
  asker.Hello("SUB _INBOX.bench.* 1\r\n");
  bench::Measurement measurement(std::strtod(flags.Text("seconds", "1").c_str(), nullptr));
  const double cpu = CpuOf(pids);
  std::thread replies([&] { Reply(replier); });
  Requester requester(asker, flags.Number("size", 16), flags.Number("window", 1), measurement);
  std::thread asks([&] { requester.Run(); });
  measurement.Wait();
  const double spent = CpuOf(pids) - cpu;
  asks.join();
  ::shutdown(replier.descriptor(), SHUT_RD);  // what it answers just now may still go out
  replies.join();
  std::printf("server_cpu=%.6f peak_kib=%llu ", spent,
              static_cast<unsigned long long>(MemoryOf(pids, "VmHWM")));
  measurement.Print();
  return measurement.good() ? 0 : 1;
}

// --- idle connections -------------------------------------------------------------------------

int RunIdle(const Flags& flags) {
  const std::vector<int> pids = PidsOf(flags);
  const std::uint64_t before = MemoryOf(pids, "VmRSS");
  const std::uint64_t count = flags.Number("connections", 1000);
  std::vector<NatsWire> wires;
  for (std::uint64_t i = 0; i < count; ++i) {
    wires.emplace_back(flags.Port("port")).Hello("SUB idle." + Padded(i) + " 1\r\n");
  }
  const std::uint64_t after = MemoryOf(pids, "VmRSS");
  std::printf("before_kib=%llu after_kib=%llu\n", static_cast<unsigned long long>(before),
              static_cast<unsigned long long>(after));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  const Flags flags{argc, argv};
  if (word == "publish") return RunPublish(flags);
  if (word == "request") return RunRequest(flags);
  if (word == "idle") return RunIdle(flags);
  Fail("say publish, request or idle");
}
