#pragma once

#include <cstddef>
#include <string>

#include "bench.pb.h"

namespace bench {

/// What every server of the benchmarks answers: a new message of the same content.
inline void Answer(const Echo& request, Echo& response) {
  response.set_name(request.name());
  response.set_seq(request.seq());
  response.set_data(request.data());
}

/// What every client of the benchmarks asks: 34 bytes, if 16 of them are data.
inline Echo Question(std::size_t bytes) {
  Echo request;
  request.set_name("greeter-0042");
  request.set_seq(77);
  request.set_data(std::string(bytes, 'x'));
  return request;
}

/// Whether that is what came back.
inline bool IsAnswer(const Echo& request, const Echo& response) {
  return response.seq() == request.seq() && response.data().size() == request.data().size();
}

}  // namespace bench
