#include "client/counters.h"

namespace micro::client {
namespace {

Counter& Retries(Metrics& metrics, const char* reason) {
  return metrics.GetCounter("micro_client_retries_total",
                            "Calls sent again to another node, by why they might be",
                            {{"reason", reason}});
}

Counter& PassedOver(Metrics& metrics, const char* reason) {
  return metrics.GetCounter("micro_client_circuit_open_total",
                            "Nodes that were picked and not called: full of this client's calls, "
                            "or on trial after a rest",
                            {{"reason", reason}});
}

}  // namespace

Counters::Counters(Metrics& metrics)
    : not_sent(Retries(metrics, "not_sent")),
      refused(Retries(metrics, "refused")),
      repeatable(Retries(metrics, "repeatable")),
      asked_for(Retries(metrics, "asked_for")),
      denied(metrics.GetCounter("micro_client_retries_denied_total",
                                "Calls not sent again, or not hedged, for want of retry budget")),
      hedges(metrics.GetCounter("micro_client_hedges_total",
                                "Calls sent to a second node as the first had not answered")),
      hedges_won(metrics.GetCounter("micro_client_hedges_won_total",
                                    "Calls that the second node answered first")),
      full(PassedOver(metrics, "full")),
      on_trial(PassedOver(metrics, "trial")) {}

}  // namespace micro::client
