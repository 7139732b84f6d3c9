// What another server wants, and what it passes on.
#include <string>
#include <utility>

#include "natsd/engine.h"
#include "natsd/route.h"
#include "natsd/subject_pattern.h"

namespace micro::natsd {
namespace {

// Of a subject: patterns are matched token by token, and a token costs stack.
constexpr std::size_t kLongestSubject = 8192;
// Distinct subjects of one server.
constexpr std::size_t kMostInterest = 10'000'000;

std::string KeyOf(const RouteUnit& unit) {
  std::string key;
  key.reserve(unit.account.size() + unit.subject.size() + unit.queues.size() + 2);
  key.append(unit.account).append(" ").append(unit.subject);
  if (!unit.queues.empty()) key.append(" ").append(unit.queues);
  return key;
}

}  // namespace

// Accounts we do not have are nobody's here.
Account* Route::AccountOf(std::string_view name) {
  if (name == last_account_name_) return last_account_;
  last_account_name_ = name;
  last_account_ = engine().FindAccount(name);
  return last_account_;
}

void Route::AddInterest(const RouteUnit& unit) {
  Account* account = AccountOf(unit.account);
  if (account == nullptr) return;
  if (!IsPattern(unit.subject) || unit.subject.size() > kLongestSubject) {
    return SendError("Invalid Subscription");
  }
  const std::string key = KeyOf(unit);
  if (const auto found = interest_.find(key); found != interest_.end()) {
    Subscription& known = *found->second.subscription;
    if (known.weight == unit.weight || known.queue.empty()) return;
    known.weight = unit.weight;
    return account->sublist.Touch(known);
  }
  if (interest_.size() >= kMostInterest) return Fail("too much interest", "Too Much Interest");
  auto made = std::make_unique<Subscription>(Subscription{.peer = this,
                                                          .subject = std::string(unit.subject),
                                                          .queue = std::string(unit.queues),
                                                          .weight = unit.weight});
  account->sublist.Insert(*made);
  interest_.emplace(key, Remote{.account = account, .subscription = std::move(made)});
}

void Route::RemoveInterest(const RouteUnit& unit) {
  Account* account = AccountOf(unit.account);
  const auto found = interest_.find(KeyOf(unit));
  if (account == nullptr || found == interest_.end()) return;
  account->sublist.Remove(*found->second.subscription);
  interest_.erase(found);
}

void Route::DropInterest() {
  for (auto& [key, remote] : interest_) remote.account->sublist.Remove(*remote.subscription);
  interest_.clear();
}

void Route::SendInterest(std::string_view operation, const Account& account,
                         std::string_view subject, std::string_view queue, std::uint32_t weight) {
  std::string line(operation);
  line.append(" ").append(account.name).append(" ").append(subject);
  if (!queue.empty()) line.append(" ").append(queue);
  if (!queue.empty() && weight > 0) line.append(" ").append(std::to_string(weight));
  Send(line, "\r\n");
}

void Route::Message(const RouteUnit& unit, const SlabRef& slab) {
  ++traffic_.in_messages;
  traffic_.in_bytes += unit.body.size();
  Account* account = AccountOf(unit.account);
  if (account == nullptr) return;
  Publication message{.reply = unit.reply,
                      .body = unit.body,
                      .header_size = unit.header_size,
                      .headers = unit.headers,
                      .tail = unit.tail,
                      .slab = &slab};
  if (unit.tail.empty()) {
    canonical_.clear();
    if (!unit.reply.empty()) canonical_.append(unit.reply).append(" ");
    if (unit.headers) canonical_.append(std::to_string(unit.header_size)).append(" ");
    canonical_.append(std::to_string(unit.body.size())).append("\r\n");
    canonical_.append(unit.body).append("\r\n");
    message.tail = canonical_;
    message.slab = nullptr;
  }
  queues_.clear();
  std::string_view names = unit.queues;
  for (auto name = TakeField(names); !name.empty(); name = TakeField(names)) {
    queues_.push_back(name);
  }
  engine().router().FromRoute(account->plans.For(unit.subject), message, queues_);
}

}  // namespace micro::natsd
