#include <cstring>
#include <optional>

#include "net/dns/message.h"

namespace micro::dns {
namespace {

constexpr std::size_t kHeaderOctets = 12;
constexpr int kMaxJumps = 127;

// Reads forwards through one message. After a failed read nothing more is read.
class Reader {
 public:
  explicit Reader(std::string_view packet) : packet_(packet) {}

  bool ok() const { return !failed_; }
  std::size_t at() const { return at_; }

  std::uint8_t Octet() {
    const std::string_view octet = Take(1);
    return octet.empty() ? 0 : static_cast<std::uint8_t>(octet[0]);
  }

  std::uint16_t Short() {
    const std::uint16_t high = Octet();
    return static_cast<std::uint16_t>(high << 8 | Octet());
  }

  std::uint32_t Long() {
    const std::uint32_t high = Short();
    return high << 16 | Short();
  }

  std::string_view Take(std::size_t octets) {
    if (failed_ || octets > packet_.size() - at_) {
      failed_ = true;
      return {};
    }
    const std::string_view taken = packet_.substr(at_, octets);
    at_ += octets;
    return taken;
  }

  Name ReadName();

  // Whether everything up to `end` has been read, and no octet more.
  void ExpectAt(std::size_t end) { failed_ = failed_ || at_ != end; }

 private:
  std::string_view packet_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

// A pointer has to point before the label run it ends (`lowest`), so every jump goes further back;
// a name that is not built to waste time needs no more jumps than it may have labels.
Name Reader::ReadName() {
  Name name;
  std::size_t lowest = at_;
  std::optional<std::size_t> resume;
  int jumps = 0;
  while (!failed_) {
    const std::uint8_t length = Octet();
    if (failed_ || length == 0) break;
    if (length <= Name::kMaxLabel) {
      failed_ = !name.Append(Take(length));
    } else if (length >= 0xc0) {
      const std::size_t target = static_cast<std::size_t>(length & 0x3f) << 8 | Octet();
      if (!resume) resume = at_;
      failed_ = failed_ || target >= lowest || ++jumps > kMaxJumps;
      at_ = lowest = target;
    } else {
      failed_ = true;
    }
  }
  if (resume && !failed_) at_ = *resume;
  return name;
}

Txt ReadTxt(Reader& in, std::size_t end) {
  Txt txt;
  while (in.ok() && in.at() < end) txt.strings.emplace_back(in.Take(in.Octet()));
  return txt;
}

Srv ReadSrv(Reader& in) {
  Srv srv;
  srv.priority = in.Short();
  srv.weight = in.Short();
  srv.port = in.Short();
  srv.target = in.ReadName();
  return srv;
}

template <typename Address>
Address ReadAddress(Reader& in) {
  Address address;
  const std::string_view octets = in.Take(address.octets.size());
  if (in.ok()) std::memcpy(address.octets.data(), octets.data(), octets.size());
  return address;
}

RecordData ReadData(Reader& in, std::uint16_t type, std::size_t octets) {
  switch (static_cast<Type>(type)) {
    case Type::kPtr:
      return Ptr{in.ReadName()};
    case Type::kCname:
      return Cname{in.ReadName()};
    case Type::kSrv:
      return ReadSrv(in);
    case Type::kA:
      return ReadAddress<A>(in);
    case Type::kAaaa:
      return ReadAddress<Aaaa>(in);
    case Type::kTxt:
      return ReadTxt(in, in.at() + octets);
    default:
      return Opaque{.type = type, .data = std::string(in.Take(octets))};
  }
}

Question ReadQuestion(Reader& in) {
  Question question;
  question.name = in.ReadName();
  question.type = static_cast<Type>(in.Short());
  question.klass = in.Short();
  return question;
}

Record ReadRecord(Reader& in) {
  Record record;
  record.name = in.ReadName();
  const std::uint16_t type = in.Short();
  record.klass = in.Short();
  record.ttl = in.Long();
  const std::size_t octets = in.Short();
  const std::size_t end = in.at() + octets;
  record.data = ReadData(in, type, octets);
  in.ExpectAt(end);
  return record;
}

// A count of 65535 in a short packet must not reserve anything: elements come as they are read.
template <typename Element, typename Read>
void ReadSection(Reader& in, std::uint16_t count, std::vector<Element>& section, Read read) {
  for (; count > 0 && in.ok(); --count) {
    Element element = read(in);
    if (in.ok()) section.push_back(std::move(element));
  }
}

}  // namespace

Result<Message> Parse(std::string_view packet) {
  if (packet.size() < kHeaderOctets) return InvalidArgument("DNS message shorter than its header");
  Reader in(packet);
  Message message;
  message.id = in.Short();
  message.flags = in.Short();
  const std::array counts = {in.Short(), in.Short(), in.Short(), in.Short()};
  ReadSection(in, counts[0], message.questions, ReadQuestion);
  ReadSection(in, counts[1], message.answers, ReadRecord);
  ReadSection(in, counts[2], message.authority, ReadRecord);
  ReadSection(in, counts[3], message.additional, ReadRecord);
  if (!in.ok()) {
    return InvalidArgument("malformed DNS message of " + std::to_string(packet.size()) +
                           " octets, near octet " + std::to_string(in.at()));
  }
  return message;
}

}  // namespace micro::dns
