#pragma once

#include <string>

#include "bench.pb.h"

namespace bench {

/// What every server of the benchmarks answers: a new message of the same content.
inline void Answer(const Echo& request, Echo& response) {
  response.set_name(request.name());
  response.set_seq(request.seq());
  response.set_data(request.data());
}

/// What every client of the benchmarks asks: 34 bytes with the frame's.
inline Echo Question() {
  Echo request;
  request.set_name("greeter-0042");
  request.set_seq(77);
  request.set_data(std::string(16, 'x'));
  return request;
}

}  // namespace bench
