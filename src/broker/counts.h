#pragma once

#include <memory>

#include "micro/metrics.h"

namespace micro::broker {

/// What brokers that are elsewhere count. With no metrics to count in, nobody sees it.
class Counts {
 public:
  explicit Counts(Metrics* metrics)
      : own_(metrics == nullptr ? std::make_unique<Metrics>() : nullptr),
        metrics_(metrics == nullptr ? *own_ : *metrics) {}

 private:
  const std::unique_ptr<Metrics> own_;
  Metrics& metrics_;

 public:
  Gauge& connected = metrics_.GetGauge("micro_broker_connected", "Whether the broker is there");
  Counter& reconnects =
      metrics_.GetCounter("micro_broker_reconnects_total", "Times that the broker came back");
  Gauge& pending =
      metrics_.GetGauge("micro_broker_pending_bytes", "Bytes of messages that wait to leave");
  Counter& refused = metrics_.GetCounter("micro_broker_refused_total",
                                         "Messages that were not taken for want of room");
  Counter& lost = metrics_.GetCounter("micro_broker_lost_total",
                                      "Messages that were taken and could not be sent");
  Counter& malformed = metrics_.GetCounter("micro_broker_malformed_total",
                                           "Messages that came in no envelope, or were too large");
  Counter& slow = metrics_.GetCounter(
      "micro_broker_slow_consumers_total",
      "Times that the broker, or its client, dropped messages that were not taken in time");
};

}  // namespace micro::broker
