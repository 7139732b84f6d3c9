#pragma once

#include <cstddef>
#include <map>

#include <boost/asio/ip/address.hpp>

#include "micro/duration.h"

namespace micro::mdns {

/// How much one source is answered: an answer is larger than its question, and where it goes is
/// what the question says it comes from.
class AnswerLimit {
 public:
  /// Of what is sent to one source, in octets: some thousand nodes for some dozen lookups at once,
  /// and then a few of these each second.
  static constexpr double kBurst = 16U << 20U;
  static constexpr double kPerSecond = 4U << 20U;
  /// Sources remembered; when there are more, all start anew.
  static constexpr std::size_t kMaxSources = 1024;

  /// Whether `source` may be sent so much now; if so, that is taken from what it may get.
  bool Takes(const boost::asio::ip::address& source, std::size_t octets, TimePoint now);

 private:
  struct Left {
    double octets = kBurst;
    TimePoint at{};
  };

  std::map<boost::asio::ip::address, Left> sources_;
};

}  // namespace micro::mdns
