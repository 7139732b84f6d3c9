#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "micro/client.h"

#include "base/call_context.h"
#include "base/chain.h"
#include "client/parts.h"
#include "client/pool.h"
#include "client/prober.h"
#include "client/race.h"
#include "client/retry_budget.h"

namespace micro::client {

struct PerLoop;
struct Target;
using CallHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// What every call has: its context and head, and the way to a node that serves it. Lives on one
/// loop.
class Call : public Next::Step, public CallHook {
 public:
  Call(const ClientParts& parts, PerLoop& loop, const std::string& service,
       const MethodInfo& method, const CallOptions& options);

  Context& context() { return context_; }
  /// Cuts short whatever the call waits for.
  runtime::Interrupter& interrupter() { return interrupter_; }
  void Report(CallInfo& info) const;
  /// Counts it as under way; before it is.
  void Begin();
  /// Counts it as over, and leaves its span; once.
  void End(Code code);

 protected:
  ~Call() override;

  // What came of one attempt, and whether another may follow.
  enum class Verdict : std::uint8_t {
    kDone,      // not to be repeated
    kNotSent,   // the node never began with it: another node is safe
    kRefused,   // the node says that it did nothing
    kUnknown,   // it may have been carried out
    kAnswered,  // with an error; repeated only if its caller says so
  };
  struct Attempt {
    Status status;
    Verdict verdict = Verdict::kDone;
  };

  bool unary() const { return method_.kind == MethodKind::kUnary; }
  /// In which the messages travel.
  std::string_view content_type() const;
  const Codec* FindCodec() const { return parts_.codecs.Find(content_type()); }
  /// All attempts, without middleware.
  Task<Status> Run(Context& context) override;
  /// What is done with a connection.
  virtual Task<Attempt> Exchange(transport::Connection& connection) = 0;
  /// An attempt, and another beside it when it takes long. Tells both picks.
  virtual Task<Attempt> Hedge(Pick* first) = 0;
  /// What came of an attempt that ended with the error of `stream`, when all of it may be repeated.
  static Attempt Judge(const transport::ClientStream& stream);
  /// What came of an attempt that got no connection.
  static Attempt Unconnected(const Error& error);
  /// The node before any was picked.
  static const NodePtr& nobody();
  Status Cancelled() const;
  Status OutOfTime() const;
  /// A node that no attempt was made on, with what it takes to make one; nothing when there is
  /// none, or no budget for it.
  std::optional<Pick> PickSecond();
  /// To whoever picks nodes.
  void Tell(Pick& pick, const Attempt& attempt);
  /// Takes in an attempt of a node that failed while another goes on.
  void Fail(const Node& failed, Error error);
  PerLoop& loop() { return loop_; }
  bool hedged() const { return hedge_after_ > Duration::zero(); }
  Duration hedge_after() const { return hedge_after_; }

  const ClientParts& parts_;
  const MethodInfo& method_;
  CallOptions options_;
  CallContext context_;
  runtime::Interrupter interrupter_;
  runtime::Patience patience_;
  transport::CallHead head_;
  const Codec* codec_ = nullptr;
  NodePtr node_ = nobody();
  observe::CalledMethod& called_;

 private:
  void FillDeadline();
  void FillTrace();
  Status FillHead();
  Task<Status> Prepare();
  void ChooseSelector();
  Task<Status> Attempts();
  Task<Attempt> TryOn();
  Status FillHedge();
  Result<Pick> PickNode(discovery::NodeCalls::Place& place) const;
  Result<Pick> PickGuarded(discovery::NodeCalls::Place& place) const;
  Result<Pick> Select(std::span<const std::string> passed) const;
  Counter& ReasonFor(Verdict verdict) const;
  void TraceAttempt(const Error& error);
  bool MayRetry(Verdict verdict, const Error& error);
  bool IsSafe(Verdict verdict, const Error& error) const;
  Task<bool> Pause(Verdict verdict);
  bool Widen();
  Task<bool> FindMore();
  Failure NoNode(Error why) const;
  void Remember(const Error& error);
  Status Last(Status last) const;

  PerLoop& loop_;
  Duration time_given_{};
  TimePoint began_;
  bool under_way_ = false;
  std::shared_ptr<Target> target_;
  std::shared_ptr<Selector> view_;  // of some of the nodes
  Selector* selector_ = nullptr;
  std::vector<std::string> tried_;
  std::string earlier_;  // what became of the attempts before the last
  std::uint32_t retries_ = 0;
  Duration hedge_after_{};             // zero: never
  discovery::NodeCalls::Place place_;  // at the node that is called, where those are limited
  discovery::NodeCalls::Place second_place_;
  Counter* retrying_ = nullptr;  // what the next attempt counts as
  bool once_ = false;            // one attempt is all there may be
  int attempts_ = 0;
  bool looked_again_ = false;
  bool widened_ = false;
};

/// One unary call, over as many attempts as it takes, in its caller's frame.
class UnaryCall final : public Call {
 public:
  UnaryCall(const ClientParts& parts, PerLoop& loop, const std::string& service,
            const MethodInfo& method, const google::protobuf::Message& request,
            google::protobuf::Message& response, const CallOptions& options);

 private:
  Task<Attempt> Exchange(transport::Connection& connection) override;
  Task<Attempt> Hedge(Pick* first) override;
  Attempt Settle(transport::ClientStream& stream, bool answered);
  Task<Race::Runner*> FirstOver(Race* race, std::optional<Pick>* second);
  Attempt ResultOf(const Race::Runner& runner) const;
  void Take(Race::Runner& runner, Attempt& attempt);
  Status Decode(const std::string& message);

  const google::protobuf::Message& request_;
  google::protobuf::Message& response_;
  std::string message_;
};

/// Whom calls go to, as one loop sees it: a service, or a list of addresses.
struct Target {
  std::shared_ptr<discovery::Endpoints> endpoints;
  RetryBudget budget;
};

/// What a client keeps for one loop; touched on that loop only.
struct PerLoop {
  /// `retries_per_second`: this loop's part of them, for each service.
  PerLoop(std::shared_ptr<Transport> transport, const Pool::Options& options,
          double retries_per_second)
      : pool(std::make_shared<Pool>(std::move(transport), options)),
        probes(std::make_shared<Probes>(pool)),
        retries_per_second_(retries_per_second) {}

  /// Ends the calls under way and closes the connections.
  void Close();
  /// What is counted of a method's calls.
  observe::CalledMethod& Called(observe::Observer& observer, const std::string& service,
                                std::string_view path);

  /// A service; kept from the time on that its nodes are known.
  std::shared_ptr<Target> Find(discovery::Directory& directory, const std::string& service);
  /// The nodes at given addresses.
  std::shared_ptr<Target> At(discovery::Directory& directory,
                             std::span<const std::string> addresses);

  std::shared_ptr<Pool> pool;
  std::shared_ptr<Probes> probes;
  boost::intrusive::list<Call, boost::intrusive::constant_time_size<false>> calls;

 private:
  struct Hash {
    std::size_t operator()(const std::pair<std::string_view, std::string_view>& key) const {
      const std::hash<std::string_view> hash;
      return hash(key.first) * 31 + hash(key.second);
    }
  };
  std::unordered_map<std::pair<std::string_view, std::string_view>, observe::CalledMethod*, Hash>
      called_;  // the keys are the methods' own
  double retries_per_second_;
  std::unordered_map<std::string, std::shared_ptr<Target>> services_;
  std::vector<std::pair<std::vector<std::string>, std::shared_ptr<Target>>> lists_;

  std::shared_ptr<Target> Make(std::shared_ptr<discovery::Endpoints> endpoints) const;
};

}  // namespace micro::client
