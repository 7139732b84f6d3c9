#pragma once

#include <span>
#include <vector>

#include "registry/mdns/dns.h"
#include "registry/mdns/records.h"

namespace micro::mdns {

/// What a responder that announces `instances` on the machine called `host` sends back to `query`,
/// by unicast: one message an instance, because go-micro's client keeps only the last instance of
/// each, with the question echoed, because v2.9.1's ignores a message without one. A response gets
/// no answer, and nor does who knows it already (RFC 6762, 7.1).
std::vector<Message> AnswersTo(const Message& query, std::span<const Instance* const> instances,
                               const Name& host);

}  // namespace micro::mdns
