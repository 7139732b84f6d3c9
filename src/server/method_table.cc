#include "server/method_table.h"

#include <map>
#include <set>

#include "base/describe.h"
#include "observe/page.h"

namespace micro::server {
namespace {

// "helloworld.Greeter" is the handler "Greeter" to go-micro.
std::string_view ShortName(std::string_view service) {
  return service.substr(service.rfind('.') + 1);  // npos + 1 is 0
}

std::string EndpointName(const Handler& handler, const Method& method) {
  const std::string_view path = method.info.path;
  return std::string(ShortName(handler.name())) + "." +
         std::string(path.substr(path.rfind('/') + 1));
}

Endpoint ToEndpoint(const Served& served) {
  const MethodInfo& info = served.method->info;
  if (info.kind != MethodKind::kUnary) {
    return {.name = served.endpoint,
            .request = {"Context", "Context", {}},
            .response = {"Stream", "Stream", {}},
            .metadata = {{"stream", "true"}}};
  }
  return {.name = served.endpoint,
          .request = Describe(*info.request()),
          .response = Describe(*info.response()),
          .metadata = {}};
}

}  // namespace

Status MethodTable::Add(std::shared_ptr<Handler> handler) {
  for (const Method& method : handler->methods()) {
    auto served = std::make_shared<Served>(handler, &method, EndpointName(*handler, method));
    const std::string path(method.info.path);
    if (!by_path_.emplace(path, served).second) {
      return AlreadyExists(path + " is served by another handler already");
    }
    by_endpoint_.emplace(served->endpoint, served);
  }
  return Ok();
}

void MethodTable::AddStandard(const std::shared_ptr<Handler>& handler, bool short_form) {
  for (const Method& method : handler->methods()) {
    auto served = std::make_shared<Served>(handler, &method, EndpointName(*handler, method), true);
    by_path_.emplace(method.info.path, served);
    if (short_form) by_endpoint_.emplace(served->endpoint, served);
  }
}

Result<const Served*> MethodTable::Find(std::string_view path) const {
  const auto found = by_path_.find(path);
  if (found != by_path_.end()) return found->second.get();
  return FindShort(path);
}

Result<const Served*> MethodTable::FindShort(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  if (!path.starts_with('/') || slash == 0 || path.find('/', 1) != slash) {
    return InvalidArgument("malformed method name: \"" + std::string(path) + "\"");
  }
  const std::string handler(ShortName(path.substr(1, slash - 1)));
  const std::string endpoint = handler + "." + std::string(path.substr(slash + 1));
  const auto found = by_endpoint_.find(endpoint);
  if (found != by_endpoint_.end()) return found->second.get();
  for (const auto& [name, served] : by_endpoint_) {
    if (name.starts_with(handler + ".")) return Unimplemented("unknown service " + endpoint);
  }
  return Unimplemented("unknown service " + handler);
}

void MethodTable::NameSpans(const std::string& service, observe::Observer& observer) {
  for (auto& [path, served] : by_path_) {
    if (served->span_name != nullptr) continue;
    served->span_name = observer.Keep(observe::SpanName(service, path));
  }
}

std::vector<observe::LabelledTotals> MethodTable::Totals() const {
  std::map<std::string, observe::CallTotals> sorted;
  for (const auto& [path, served] : by_path_) sorted.emplace(path, served->stats.Read());
  sorted.emplace("unknown", unknown_.Read());
  std::vector<observe::LabelledTotals> all;
  for (const auto& [path, totals] : sorted) {
    if (totals.started > 0) all.push_back({observe::LabelText({{"method", path}}), totals});
  }
  return all;
}

std::vector<std::string> MethodTable::Names() const {
  std::set<std::string> names;
  for (const auto& [path, served] : by_path_) names.emplace(served->handler->name());
  return {names.begin(), names.end()};
}

std::vector<Endpoint> MethodTable::Endpoints() const {
  std::map<std::string, const Served*> sorted;
  for (const auto& [path, served] : by_path_) {
    if (served->standard) continue;
    const std::string& endpoint = served->endpoint;
    const std::size_t dot = endpoint.find('.');
    // '\0' keeps "Foo" before "FooBar" whatever their methods are.
    sorted.emplace(endpoint.substr(0, dot) + '\0' + endpoint.substr(dot) + path, served.get());
  }
  std::vector<Endpoint> endpoints;
  for (const auto& [key, served] : sorted) endpoints.push_back(ToEndpoint(*served));
  return endpoints;
}

}  // namespace micro::server
