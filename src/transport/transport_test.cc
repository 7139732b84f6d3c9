#include <gtest/gtest.h>

#include "micro/testing/transport_conformance.h"

#include "transport/grpc/grpc.h"
#include "transport/memory/memory.h"

namespace micro::testing {

struct GrpcTransports {
  std::shared_ptr<Transport> Make(const TransportConfig& config) {
    return MakeGrpcTransport(config).value();
  }
  std::string address() { return "127.0.0.1:0"; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Grpc, TransportConformance, GrpcTransports);

struct MemoryTransports {
  std::shared_ptr<Transport> Make(const TransportConfig& config) {
    return MakeMemoryTransport(MakeMemoryNetwork(), config).value();
  }
  std::string address() { return "any:0"; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, TransportConformance, MemoryTransports);

}  // namespace micro::testing
