// Says what it hears of orders, until it is stopped.
//
//     orders-subscriber [--queue=GROUP]
#include <iostream>
#include <string>

#include <micro/micro.h>

#include "orders.pb.h"

// [subscriber]
int main(int argc, char** argv) {
  std::string queue;
  micro::Service service(
      {.name = "orders.subscriber",
       .flags = {{.name = "queue", .help = "group that shares the orders", .value = &queue}}},
      argc, argv);
  service.Subscribe<orders::Order>("orders.created",
                                   [](micro::Context&, const orders::Order& order) {
                                     std::cout << "order " << order.id() << " of "
                                               << order.customer() << std::endl;
                                     return micro::Ok();
                                   },
                                   {.queue = queue});
  return service.Run();
}
// [/subscriber]
