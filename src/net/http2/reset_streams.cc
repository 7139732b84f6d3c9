#include "net/http2/reset_streams.h"

#include <algorithm>
#include <utility>

namespace micro::http2 {

void ResetStreams::Add(std::int32_t id) {
  forgotten_ = std::max(forgotten_, std::exchange(ids_[next_], id));
  next_ = (next_ + 1) % ids_.size();
}

bool ResetStreams::MayHave(std::int32_t id) const {
  return id <= forgotten_ || std::find(ids_.begin(), ids_.end(), id) != ids_.end();
}

}  // namespace micro::http2
