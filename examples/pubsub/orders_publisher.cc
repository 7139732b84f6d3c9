// Publishes an order.
//
//     orders-publisher ID CUSTOMER
#include <iostream>
#include <string>

#include <micro/micro.h>

#include "orders.pb.h"

// [publisher]
int main(int argc, char** argv) {
  micro::Service service({.name = "orders.publisher", .arguments = "ID CUSTOMER"}, argc, argv);
  if (!service.status()) return micro::Fail(service.status().error());
  if (service.arguments().size() != 2) {
    return micro::Fail({micro::Code::kInvalidArgument, "needed are: ID CUSTOMER"});
  }
  orders::Order order;
  order.set_id(service.arguments()[0]);
  order.set_customer(service.arguments()[1]);
  const micro::Status published = service.Publish("orders.created", order);
  if (!published) return micro::Fail(published.error());
}
// [/publisher]
