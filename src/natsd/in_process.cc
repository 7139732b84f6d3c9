#include "natsd/in_process.h"

#include <utility>

#include "natsd/memory_line.h"

namespace micro::natsd {

InProcessClient::InProcessClient(std::shared_ptr<MemoryLine> line) : line_(std::move(line)) {
  line_->Start();
}

InProcessClient::~InProcessClient() { line_->Stop(); }

Status InProcessClient::Publish(std::string_view subject, std::string_view payload,
                                std::string_view reply, std::string_view headers) {
  return line_->Publish(subject, payload, reply, headers);
}

Result<InProcessClient::Id> InProcessClient::Subscribe(std::string_view subject,
                                                       std::string_view queue, Callback callback,
                                                       std::uint64_t max) {
  return line_->Subscribe(subject, queue, std::move(callback), max);
}

void InProcessClient::Unsubscribe(Id id) { line_->Unsubscribe(id); }

void InProcessClient::Drain(Id id) { line_->Drain(id); }

Status InProcessClient::Flush() { return line_->Flush(); }

std::uint64_t InProcessClient::dropped() const { return line_->dropped(); }

}  // namespace micro::natsd
