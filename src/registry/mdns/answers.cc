#include "registry/mdns/answers.h"

#include <algorithm>
#include <set>

namespace micro::mdns {
namespace {

// go-micro asks one question a message; a message full of questions would be amplified.
constexpr std::size_t kMaxQuestions = 16;

bool Asks(const Question& question, const Name& name, Type type) {
  return question.name == name && (question.type == type || question.type == Type::kAny);
}

bool Is(const Record& record, Type type) {
  switch (type) {
    case Type::kSrv:
      return !std::holds_alternative<Txt>(record.data);
    case Type::kTxt:
      return std::holds_alternative<Txt>(record.data);
    case Type::kA:
      return std::holds_alternative<A>(record.data);
    case Type::kAaaa:
      return std::holds_alternative<Aaaa>(record.data);
    default:
      return type == Type::kAny;
  }
}

// The part of an instance's records that a question of `type` about it asks for: SRV brings the
// addresses along.
std::vector<Record> OfType(std::vector<Record> records, Type type) {
  std::erase_if(records, [type](const Record& record) { return !Is(record, type); });
  return records;
}

std::vector<Record> WithPtr(const Name& name, const Name& target, std::vector<Record> records) {
  records.insert(records.begin(), Record{.name = name, .ttl = kTtl, .data = Ptr{target}});
  return records;
}

// The list's entries have records like a node's, of which only the names mean something.
Instance ListEntry(const Instance& instance) {
  return {.service_name = instance.service_name,
          .service = ListName(),
          .instance = *instance.service.Before(Domain()).Under(ListName()),
          .address = boost::asio::ip::address_v4::any(),
          .port = kListPort,
          .txt = {{""}}};
}

bool FitsTheList(const Instance& instance) {
  return instance.service.Before(Domain()).Under(ListName()).has_value();
}

// Whether the asker has the PTR record already, with at least half of its time left.
bool Knows(const Message& query, const Name& name, const Name& target) {
  return std::ranges::any_of(query.answers, [&](const Record& record) {
    const auto* ptr = std::get_if<Ptr>(&record.data);
    return ptr != nullptr && ptr->target == target && record.name == name && record.ttl >= kTtl / 2;
  });
}

class Answering {
 public:
  Answering(const Question& question, const Message& query, const Name& host)
      : question_(question), query_(query), host_(host) {
    const bool unicast = (question.klass & kClassTopBit) != 0;
    id_ = unicast ? query.id : 0;
  }

  // The records of something found under `parent`, if either is asked for.
  void About(const Name& parent, const Instance& instance) {
    const auto records = RecordsOf(instance, host_, kTtl);
    if (Asks(question_, parent, Type::kPtr) && !Knows(query_, parent, instance.instance)) {
      Add(WithPtr(parent, instance.instance, records));
    }
    if (question_.name == instance.instance) Add(OfType(records, question_.type));
  }

  void AboutHost(const boost::asio::ip::address& address) {
    if (question_.name == host_) Add(OfType({AddressRecord(host_, address, kTtl)}, question_.type));
  }

  void AboutService(const Instance& instance) {
    if (Asks(question_, MetaName(), Type::kPtr) && !Knows(query_, MetaName(), instance.service)) {
      Add(WithPtr(MetaName(), instance.service, {}));
    }
  }

  std::vector<Message> Take() { return std::move(messages_); }

 private:
  void Add(std::vector<Record> records) {
    if (records.empty()) return;
    messages_.push_back({.id = id_,
                         .flags = kFlagResponse | kFlagAuthoritative,
                         .questions = {question_},
                         .answers = std::move(records)});
  }

  const Question& question_;
  const Message& query_;
  const Name& host_;
  std::uint16_t id_;
  std::vector<Message> messages_;
};

std::vector<Message> AnswersTo(const Question& question, const Message& query,
                               std::span<const Instance* const> instances, const Name& host) {
  Answering answering(question, query, host);
  std::set<Name> services;
  std::set<boost::asio::ip::address> addresses;
  for (const Instance* each : instances) {
    const Instance& instance = *each;
    answering.About(instance.service, instance);
    if (addresses.insert(instance.address).second) answering.AboutHost(instance.address);
    if (!services.insert(instance.service).second) continue;
    if (FitsTheList(instance)) answering.About(ListName(), ListEntry(instance));
    answering.AboutService(instance);
  }
  return answering.Take();
}

bool AsksForThisNet(const Question& question) {
  const std::uint16_t klass = question.klass & ~kClassTopBit;
  return klass == kClassIn || klass == static_cast<std::uint16_t>(Type::kAny);
}

}  // namespace

std::vector<Message> AnswersTo(const Message& query, std::span<const Instance* const> instances,
                               const Name& host) {
  std::vector<Message> all;
  if (query.is_response() || (query.flags & kOpcodeMask) != 0) return all;
  const std::size_t questions = std::min(query.questions.size(), kMaxQuestions);
  for (const Question& question : std::span(query.questions).first(questions)) {
    if (!AsksForThisNet(question)) continue;
    std::ranges::move(AnswersTo(question, query, instances, host), std::back_inserter(all));
  }
  return all;
}

}  // namespace micro::mdns
