#pragma once

#include "micro/metrics.h"

namespace micro::client {

/// What is counted of attempts beside the first.
struct Counters {
  explicit Counters(Metrics& metrics);

  Counter& not_sent;
  Counter& refused;
  Counter& repeatable;
  Counter& asked_for;
  Counter& denied;
  Counter& hedges;
  Counter& hedges_won;
  Counter& full;
  Counter& on_trial;
};

}  // namespace micro::client
