// Whatever a nameserver sends, what the dns registry reads from it must keep its own rules; and any
// text may stand in resolv.conf.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "registry/dns/answer.h"
#include "registry/dns/resolv_conf.h"

namespace micro::dns_registry {
namespace {

void Expect(bool condition) {
  if (!condition) std::abort();
}

void CheckAnswer(const dns::Message& message, const dns::Name& name) {
  std::size_t faults = 0;
  const Answer answer =
      ReadAnswer(message, name, [&](const std::string& fault) { faults += !fault.empty(); });
  Expect(answer.addresses.size() + answer.services.size() + faults <= message.answers.size());
  for (const auto& address : answer.addresses) Expect(!address.is_unspecified());
  for (const dns::Srv& service : answer.services) {
    Expect(service.port != 0 || service.target.is_root());
    Expect(AddressesBeside(message, service.target).size() <= message.additional.size());
  }
}

void CheckResolvConf(std::string_view text) {
  const ResolvConf conf = ParseResolvConf(text);
  Expect(!conf.servers.empty() && conf.servers.size() <= 3);
  Expect(conf.ndots >= 0 && conf.ndots <= 15 && conf.attempts >= 1 && conf.attempts <= 5);
  Expect(conf.timeout.count() >= 1 && conf.timeout.count() <= 30);
  Expect(Candidates("a.b", conf).size() == conf.search.size() + 1);
}

}  // namespace
}  // namespace micro::dns_registry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace micro;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  dns_registry::CheckResolvConf(text);
  const auto message = dns::Parse(text);
  if (!message) return 0;
  for (const dns::Question& question : message->questions) {
    dns_registry::CheckAnswer(*message, question.name);
  }
  for (const dns::Record& record : message->answers) {
    dns_registry::CheckAnswer(*message, record.name);
    if (message->answers.size() > 64) break;
  }
  return 0;
}
