#pragma once

#include <memory>
#include <string_view>

#include "micro/logger.h"

#include "base/throttle.h"
#include "broker/counts.h"
#include "broker/recipient.h"

namespace micro::broker {

/// Where the bytes that come for one subscription go: out of their envelopes, to its receiver.
/// What is none is counted and passed over.
class Inlet {
 public:
  Inlet(RecipientPtr recipient, std::shared_ptr<Counts> counts, std::shared_ptr<Logger> logger,
        std::size_t max_message)
      : recipient_(std::move(recipient)),
        counts_(std::move(counts)),
        logger_(std::move(logger)),
        max_message_(max_message) {}

  void Take(std::string_view topic, std::string_view envelope);

 private:
  const RecipientPtr recipient_;
  const std::shared_ptr<Counts> counts_;
  const std::shared_ptr<Logger> logger_;
  const std::size_t max_message_;
  Throttle complaining_;
};

}  // namespace micro::broker
