#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include <boost/intrusive/list.hpp>

#include "micro/event_loop.h"
#include "micro/selector.h"

#include "client/pool.h"
#include "runtime/signal.h"

namespace micro::client {

/// Questions to nodes over the connections of one loop; touched on that loop only.
class Probes : public std::enable_shared_from_this<Probes> {
 public:
  explicit Probes(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

  void Ask(const std::string& address, LoadProber::Told told);
  /// Ends those under way, and asks no more.
  void Close();

 private:
  struct Question : boost::intrusive::list_base_hook<
                        boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    runtime::Interrupter interrupter;
  };

  static internal::Detached Run(std::shared_ptr<Probes> self, std::string address,
                                LoadProber::Told told);
  Task<Result<std::uint32_t>> Exchange(std::string address, runtime::Patience patience);
  Task<Result<transport::ClientStreamPtr>> Open(std::string address, runtime::Patience patience);

  std::shared_ptr<Pool> pool_;
  boost::intrusive::list<Question, boost::intrusive::constant_time_size<false>> under_way_;
  bool closed_ = false;
};

/// Asks nodes over the connections of a client, which are made known to it before the first call.
class Prober final : public LoadProber {
 public:
  void Add(EventLoop& loop, const std::shared_ptr<Probes>& probes) { loops_[&loop] = probes; }
  void Ask(const Node& node, Told told) override;

 private:
  std::unordered_map<EventLoop*, std::weak_ptr<Probes>> loops_;
};

}  // namespace micro::client
