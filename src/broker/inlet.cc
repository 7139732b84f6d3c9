#include "broker/inlet.h"

#include <string>
#include <utility>

#include "broker/envelope.h"

namespace micro::broker {

void Inlet::Take(std::string_view topic, std::string_view envelope) {
  // In base64 a message is longer by a third.
  auto read = envelope.size() / 4 * 3 > max_message_
                  ? InvalidArgument(std::to_string(envelope.size()) +
                                    " bytes are too many (--max_message_size)")
                  : ReadEnvelope(envelope);
  if (read) {
    recipient_->Take(topic, *std::move(read));
    return;
  }
  counts_->malformed.Add();
  const auto count = complaining_.Pass(std::chrono::steady_clock::now());
  if (!count) return;
  logger_->Write(LogLevel::kWarn, "passed over " + std::to_string(*count) + " messages on " +
                                      recipient_->filter().topic +
                                      ", the last because of: " + read.error().detail());
}

}  // namespace micro::broker
