#include "registry/mdns/answer_limit.h"

#include <algorithm>

namespace micro::mdns {

bool AnswerLimit::Takes(const boost::asio::ip::address& source, std::size_t octets, TimePoint now) {
  if (sources_.size() >= kMaxSources && !sources_.contains(source)) sources_.clear();
  const auto [at, added] = sources_.try_emplace(source);
  Left& left = at->second;
  if (!added) {
    const double seconds = std::chrono::duration<double>(now - left.at).count();
    left.octets = std::min(kBurst, left.octets + seconds * kPerSecond);
  }
  left.at = now;
  if (left.octets < static_cast<double>(octets)) return false;
  left.octets -= static_cast<double>(octets);
  return true;
}

}  // namespace micro::mdns
