#pragma once

#include <string>
#include <vector>

#include "net/http/exchange.h"
#include "transport/grpc/web/call.h"
#include "transport/grpc/web/cors.h"
#include "transport/grpc/web/request.h"

namespace micro::web {

/// Sends each request that is no gRPC to the protocol that it speaks: Connect, gRPC-Web, a browser
/// that asks for leave, or a plain GET of a page. All else is answered by what would be understood.
class Router {
 public:
  /// `acceptor` must outlive the calls.
  Router(transport::Acceptor& acceptor, const transport::Limits& limits,
         std::vector<std::string> origins);

  void Serve(http::Exchange& exchange, Request request);

 private:
  void Post(http::Exchange& exchange, Request request, Metadata fields);
  void Get(http::Exchange& exchange, Request request, Metadata fields);
  void Refuse(http::Exchange& exchange, const Request& request, int status, const std::string& why,
              Metadata fields);
  static void AnswerText(http::Exchange& exchange, int status, const std::string& why,
                         Metadata fields);

  Port port_;
  Cors cors_;
};

}  // namespace micro::web
