#include "transport/grpc/web/router.h"

#include <utility>

#include "micro/handler.h"

#include "transport/grpc/web/connect.h"
#include "transport/grpc/web/grpc_web.h"

namespace micro::web {
namespace {

constexpr char kAcceptPost[] =
    "application/json, application/proto, application/grpc, application/grpc-web, "
    "application/grpc-web-text";
constexpr char kText[] = "text/plain; charset=utf-8";

// What a path takes, for those who came with something else.
std::string_view Allowed(const MethodInfo* method) {
  if (method == nullptr) return "GET, HEAD, OPTIONS";
  return method->no_side_effects && method->kind == MethodKind::kUnary ? "GET, POST, OPTIONS"
                                                                       : "POST, OPTIONS";
}

}  // namespace

Router::Router(transport::Acceptor& acceptor, const transport::Limits& limits,
               std::vector<std::string> origins)
    : port_{acceptor, limits}, cors_(std::move(origins)) {}

void Router::Serve(http::Exchange& exchange, Request request) {
  if (Cors::IsPreflight(request)) {
    return http::Answer(exchange, 204, cors_.Preflight(request), "");
  }
  Metadata fields;
  cors_.Allow(request, fields);
  if (request.method == "POST") return Post(exchange, std::move(request), std::move(fields));
  if (request.method == "GET" || request.method == "HEAD") {
    return Get(exchange, std::move(request), std::move(fields));
  }
  fields.Add("allow", Allowed(port_.acceptor.FindMethod(request.head.path)));
  if (request.method == "OPTIONS") return http::Answer(exchange, 204, fields, "");
  Refuse(exchange, request, 405, "the method " + request.method + " is not allowed here",
         std::move(fields));
}

void Router::Post(http::Exchange& exchange, Request request, Metadata fields) {
  const std::string& content_type = request.head.content_type;
  if (IsGrpcWeb(content_type)) {
    return ServeGrpcWeb(port_, exchange, std::move(request), std::move(fields));
  }
  if (IsConnect(content_type)) {
    return ServeConnect(port_, exchange, std::move(request), std::move(fields));
  }
  fields.Add("accept-post", kAcceptPost);
  Refuse(exchange, request, 415,
         "the content type \"" + content_type + "\" is not understood; known: " + kAcceptPost,
         std::move(fields));
}

void Router::Get(http::Exchange& exchange, Request request, Metadata fields) {
  const std::string& path = request.head.path;
  const MethodInfo* method = port_.acceptor.FindMethod(path);
  if (method != nullptr) {
    const bool callable = method->no_side_effects && method->kind == MethodKind::kUnary;
    if (callable && request.method == "GET") {
      return ServeConnectGet(port_, exchange, std::move(request), std::move(fields));
    }
    fields.Add("allow", Allowed(method));
    return Refuse(exchange, request, 405, path + " is called by POST", std::move(fields));
  }
  const auto page = port_.acceptor.Get(path);
  if (!page) return AnswerText(exchange, 404, "there is no " + path, std::move(fields));
  fields.Add("content-type", page->content_type);
  http::Answer(exchange, page->status, fields, page->body);
}

void Router::Refuse(http::Exchange& exchange, const Request& request, int status,
                    const std::string& why, Metadata fields) {
  port_.acceptor.OnRefused(exchange.peer() + " " + request.head.path,
                           "HTTP status " + std::to_string(status) + ": " + why);
  AnswerText(exchange, status, why, std::move(fields));
}

// In words for a person, as nobody knows what this caller would read.
void Router::AnswerText(http::Exchange& exchange, int status, const std::string& why,
                        Metadata fields) {
  fields.Add("content-type", kText);
  http::Answer(exchange, status, fields, why + "\n");
}

}  // namespace micro::web
