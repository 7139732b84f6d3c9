// What one can say of topics and events, in one program: service and publisher in one, on the
// broker and the store that are within the process.
#include <atomic>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <string>

#include <micro/micro.h>

#include "orders.pb.h"

namespace {

using orders::Order;

// Lets main wait for what handlers have to say.
class Lines {
 public:
  void Say(const std::string& line) {
    const std::lock_guard lock(mutex_);
    std::cout << line << std::endl;
    ++count_;
    said_.notify_all();
  }
  void WaitFor(int count) {
    std::unique_lock lock(mutex_);
    said_.wait(lock, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable said_;
  int count_ = 0;
};

Lines lines;

Order Make(const std::string& id, const std::string& customer, std::int64_t cents) {
  Order order;
  order.set_id(id);
  order.set_customer(customer);
  order.set_cents(cents);
  return order;
}

void Subscribe(micro::Service& service) {
  // [coroutine]
  service.Subscribe<Order>("orders.created",
                           [](micro::Context&, Order order) -> micro::Task<micro::Status> {
                             co_await micro::Sleep(std::chrono::milliseconds(1));
                             lines.Say("counted " + order.id());
                             co_return micro::Ok();
                           });
  // [/coroutine]
  // [options]
  service.Subscribe<Order>("orders.*",
                           [](micro::Context& context, const Order& order) -> micro::Status {
                             if (order.cents() < 0)
                               return micro::InvalidArgument("an order of less than nothing");
                             lines.Say("billed " + order.id() + " on " + context.path());
                             return micro::Ok();
                           },
                           {.queue = "billing",           // one of all who bill gets each order
                            .concurrency = 8,             // eight at a time
                            .order_by = "customer",       // those of one customer in their order
                            .dead_letter = "unbilled"});  // where those go that failed
  // [/options]
  // [raw]
  service.Subscribe("unbilled", [](micro::Context&, const micro::RawMessage& letter) {
    lines.Say("not billed, " + std::to_string(letter.body.size()) +
              " bytes: " + std::string(letter.metadata.Get("micro-error").value_or("")));
    return micro::Ok();
  });
  // [/raw]
}

micro::Status Publish(micro::Service& service) {
  // [publish]
  const micro::Metadata metadata = {{"customer", "ann"}};
  const Order order = Make("1", "ann", 995);
  micro::Status published = service.Publish("orders.created", order, {.metadata = &metadata});
  if (!published) std::cerr << published.error().ToString() << std::endl;
  // [/publish]
  lines.WaitFor(2);
  return service.Publish("orders.changed", Make("2", "bob", -1));
}

// [events]
micro::Status KeepAndConsume(micro::Events& events) {
  const Order order = Make("3", "cleo", 100);
  const auto stored = events.Append("orders.created", {.body = order.SerializeAsString()},
                                    {.id = order.id()});  // twice under one id is stored once
  if (!stored) return micro::Failure(stored.error());

  const auto subscription = events.Consume(
      "orders.created", {.group = "shipping"}, [](const micro::EventDelivery& delivery) {
        Order shipped;
        if (!shipped.ParseFromString(delivery.event().message.body)) {
          return (void)delivery.Discard();  // it will not get better
        }
        lines.Say("shipped " + shipped.id());
        delivery.Ack();  // or Nack(), and it comes again
      });
  if (!subscription) return micro::Failure(subscription.error());
  lines.WaitFor(4);
  return micro::Ok();
}
// [/events]

}  // namespace

int main(int argc, char** argv) {
  micro::Service service({.name = "messaging",
                          .registry = "memory",
                          .broker = "memory",
                          .events = "memory",
                          .log_level = "error"},
                         argc, argv);
  Subscribe(service);
  if (micro::Status started = service.Start(); !started) return micro::Fail(started.error());
  if (micro::Status said = Publish(service); !said) return micro::Fail(said.error());
  lines.WaitFor(3);
  if (micro::Status kept = KeepAndConsume(service.events()); !kept) {
    return micro::Fail(kept.error());
  }
}
