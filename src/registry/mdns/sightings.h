#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "micro/duration.h"
#include "micro/registry.h"

#include "registry/mdns/records.h"

namespace micro::mdns {

/// The nodes that were heard of, each for as long as its TTL: tells what is news from what is said
/// again (an announcement comes three times, and each time once per interface and address family),
/// and whom to ask for again before their time runs out (RFC 6762, 5.2).
class Sightings {
 public:
  /// How long a repetition is no news. Longer than an announcement's three messages take, and short
  /// enough for a node that crashed and came back as it was to be told again.
  static constexpr std::chrono::seconds kRepetition{4};
  /// How long an answer that says otherwise may have been under way when a node was announced.
  static constexpr std::chrono::seconds kCrossing{1};
  /// Nobody is believed for longer (RFC 6762's own longest TTL).
  static constexpr std::chrono::minutes kLongestTtl{75};
  /// Nodes remembered. Of others, repetitions are news, and their end is not noticed.
  static constexpr std::size_t kMaxInstances = 4096;
  /// Between two questions for one service; and what a node gets to answer the first one, where
  /// this process slept while its time ran out.
  static constexpr std::chrono::seconds kBetweenQuestions{1};

  /// What a node said of itself unasked. True when that is news.
  bool TakeAnnouncement(const Sighting& sighting, TimePoint now);
  /// What a node answered. True when that is news.
  bool TakeAnswer(const Sighting& sighting, TimePoint now);

  /// What to do now that time has passed.
  struct Due {
    std::vector<ServiceInfo> expired{};  ///< nodes whose time ran out; they are forgotten
    std::set<std::string> ask{};         ///< services some node of which is about to expire
  };
  Due TakeDue(TimePoint now, const std::function<bool(const std::string&)>& is_watched);
  /// When TakeDue has something again.
  TimePoint next_due() const { return next_due_; }

  /// A PTR record for each node of `service` that need not answer, because more than half its time
  /// is left (RFC 6762, 7.1); at most `most`.
  std::vector<Record> KnownAnswers(std::string_view service, TimePoint now, std::size_t most) const;

 private:
  struct Known {
    ServiceInfo service{};
    bool gone = false;
    TimePoint told{};   // when what is known of it was news
    TimePoint heard{};  // the last time
    TimePoint expires{};
    TimePoint ask_at{};  // the next time that it is asked for
    int asked = 0;       // since it was heard
  };

  void Put(const Sighting& sighting, TimePoint now);
  void Hear(Known& known, const Sighting& sighting, TimePoint now);
  void Schedule(Known& known);
  bool HasRoom(TimePoint now);
  bool IsOver(Known& known, TimePoint now, bool watched, Due& due);

  std::map<Name, Known> known_;
  std::map<std::string, TimePoint> asked_;  // services, and when; those of a moment ago
  TimePoint next_due_ = TimePoint::max();
};

}  // namespace micro::mdns
