// Whatever the DNS parser takes, it must be able to write and read again as the same message, and
// what the mDNS registry makes of it must keep its own rules.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "registry/mdns/answers.h"
#include "registry/mdns/dns.h"
#include "registry/mdns/records.h"

namespace micro::mdns {
namespace {

void Expect(bool condition) {
  if (!condition) std::abort();
}

// Uncompressed names may make a message too large for a datagram; that is the only excuse.
void CheckRoundTrip(const Message& message) {
  const auto packet = Build(message);
  if (!packet) {
    Expect(packet.error().detail().find("a datagram holds") != std::string::npos ||
           packet.error().detail().find("too long") != std::string::npos);
    return;
  }
  const auto again = Parse(*packet);
  Expect(again.has_value() && *again == message);
  Expect(Build(*again) == packet);
}

void CheckNames(const Message& message) {
  for (const Question& question : message.questions) {
    Expect(question.name.wire().size() <= Name::kMaxOctets);
    Expect(question.name.Before(question.name).is_root());
  }
}

void CheckAnswers(const Message& message) {
  const ServiceInfo service{.name = "go.micro.srv.test", .version = "latest"};
  const auto instance = MakeInstance(service, {.id = "id-1", .address = "10.9.0.1:41897"}).value();
  const std::vector<const Instance*> instances = {&instance};
  for (const Message& answer : AnswersTo(message, instances, Name::FromText("vm").value())) {
    Expect(!message.is_response() && answer.is_response());
    Expect(answer.questions.size() == 1 && !answer.answers.empty());
    CheckRoundTrip(answer);
  }
}

void CheckSightings(const Message& message) {
  for (const Sighting& sighting : ReadSightings(message)) {
    Expect(sighting.service.nodes.size() == 1);
    Expect(!sighting.service.name.empty() && !sighting.service.nodes[0].id.empty());
    const std::string whole = sighting.service.nodes[0].id + "." + sighting.service.name + ".micro";
    Expect(sighting.instance.ToText() == whole || whole.ends_with("..micro"));
  }
  for (const std::string& name : ReadList(message)) Expect(!name.empty());
}

}  // namespace
}  // namespace micro::mdns

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto message =
      micro::mdns::Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!message) return 0;
  micro::mdns::CheckRoundTrip(*message);
  micro::mdns::CheckNames(*message);
  micro::mdns::CheckAnswers(*message);
  micro::mdns::CheckSightings(*message);
  return 0;
}
