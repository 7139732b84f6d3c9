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

namespace micro::client {

struct PerLoop;
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
    kDone,     // answered, or not to be repeated
    kNotSent,  // the node never began with it: another node is safe
    kUnknown,  // it may have been carried out
    kLost,     // the node is gone, and the call cannot be repeated
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
  /// What came of an attempt that ended with the error of `stream`, when all of it may be repeated.
  static Attempt Judge(const transport::ClientStream& stream);
  /// The node before any was picked.
  static const NodePtr& nobody();
  Status Cancelled() const;
  Status OutOfTime() const;

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
  Task<Status> Attempts();
  Task<Attempt> TryOn(Pick& pick);
  bool MayRetry(Verdict verdict);
  Task<bool> FindMore();

  PerLoop& loop_;
  Duration time_given_{};
  TimePoint began_;
  bool under_way_ = false;
  std::shared_ptr<discovery::Endpoints> endpoints_;
  std::unique_ptr<Selector> fixed_;  // over CallOptions::addresses
  Selector* selector_ = nullptr;
  std::vector<std::string> tried_;
  std::uint32_t retries_ = 0;
  int attempts_ = 0;
  bool looked_again_ = false;
};

/// One unary call, over as many attempts as it takes, in its caller's frame.
class UnaryCall final : public Call {
 public:
  UnaryCall(const ClientParts& parts, PerLoop& loop, const std::string& service,
            const MethodInfo& method, const google::protobuf::Message& request,
            google::protobuf::Message& response, const CallOptions& options);

 private:
  Task<Attempt> Exchange(transport::Connection& connection) override;
  Attempt Settle(transport::ClientStream& stream, bool answered);

  const google::protobuf::Message& request_;
  google::protobuf::Message& response_;
  std::string message_;
};

/// What a client keeps for one loop; touched on that loop only.
struct PerLoop {
  PerLoop(std::shared_ptr<Transport> transport, const Pool::Options& options)
      : pool(std::make_shared<Pool>(std::move(transport), options)) {}

  /// Ends the calls under way and closes the connections.
  void Close();
  /// What is counted of a method's calls.
  observe::CalledMethod& Called(observe::Observer& observer, const std::string& service,
                                std::string_view path);

  std::shared_ptr<Pool> pool;
  std::unordered_map<std::string, std::shared_ptr<discovery::Endpoints>> services;
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
};

}  // namespace micro::client
