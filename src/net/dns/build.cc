#include <limits>
#include <map>

#include "net/dns/message.h"

namespace micro::dns {
namespace {

// What fits in a UDP datagram over IPv4.
constexpr std::size_t kMaxDatagram = 65507;
constexpr std::size_t kMaxPointer = 0x3fff;

class Writer {
 public:
  bool ok() const { return !failed_; }
  std::string TakePacket() { return std::move(packet_); }

  void Octet(std::size_t value) { packet_ += static_cast<char>(value); }

  void Short(std::size_t value) {
    Octet(value >> 8 & 0xff);
    Octet(value & 0xff);
  }

  void Long(std::uint32_t value) {
    Short(value >> 16);
    Short(value & 0xffff);
  }

  void Count(std::size_t value) {
    failed_ = failed_ || value > std::numeric_limits<std::uint16_t>::max();
    Short(value);
  }

  template <typename Octets>
  void Raw(const Octets& octets) {
    packet_.append(octets.begin(), octets.end());
  }

  void Uncompressed(const Name& name) { Raw(name.wire()); }
  void Compressed(const Name& name);
  void Write(const Question& question);
  void Write(const Record& record);

 private:
  void Data(const Ptr& ptr) { Compressed(ptr.target); }
  void Data(const Cname& cname) { Compressed(cname.target); }
  void Data(const A& a) { Raw(a.octets); }
  void Data(const Aaaa& aaaa) { Raw(aaaa.octets); }
  void Data(const Opaque& opaque) { Raw(opaque.data); }
  void Data(const Srv& srv);
  void Data(const Txt& txt);

  std::string packet_;
  std::map<std::string, std::size_t, std::less<>> offsets_;  // by the wire form of a name's tail
  bool failed_ = false;
};

void Writer::Compressed(const Name& name) {
  std::string_view tail = name.wire();
  while (tail.size() > 1) {
    const auto known = offsets_.find(tail);
    if (known != offsets_.end()) return Short(0xc000 | known->second);
    if (packet_.size() <= kMaxPointer) offsets_.emplace(tail, packet_.size());
    const std::size_t label = static_cast<unsigned char>(tail[0]) + 1;
    Raw(tail.substr(0, label));
    tail.remove_prefix(label);
  }
  Octet(0);
}

void Writer::Data(const Srv& srv) {
  Short(srv.priority);
  Short(srv.weight);
  Short(srv.port);
  Uncompressed(srv.target);
}

void Writer::Data(const Txt& txt) {
  for (const std::string& text : txt.strings) {
    failed_ = failed_ || text.size() > 255;
    Octet(text.size());
    Raw(text);
  }
}

std::uint16_t TypeOf(const RecordData& data) {
  constexpr std::array kTypes = {Type::kPtr,  Type::kSrv, Type::kA,
                                 Type::kAaaa, Type::kTxt, Type::kCname};
  if (const auto* opaque = std::get_if<Opaque>(&data)) return opaque->type;
  return static_cast<std::uint16_t>(kTypes.at(data.index()));
}

void Writer::Write(const Question& question) {
  Compressed(question.name);
  Short(static_cast<std::uint16_t>(question.type));
  Short(question.klass);
}

void Writer::Write(const Record& record) {
  Compressed(record.name);
  Short(TypeOf(record.data));
  Short(record.klass);
  Long(record.ttl);
  const std::size_t length_at = packet_.size();
  Short(0);
  std::visit([this](const auto& data) { Data(data); }, record.data);
  const std::size_t length = packet_.size() - length_at - 2;
  failed_ = failed_ || length > std::numeric_limits<std::uint16_t>::max();
  packet_[length_at] = static_cast<char>(length >> 8 & 0xff);
  packet_[length_at + 1] = static_cast<char>(length & 0xff);
}

}  // namespace

Result<std::string> Build(const Message& message) {
  Writer out;
  out.Short(message.id);
  out.Short(message.flags);
  out.Count(message.questions.size());
  out.Count(message.answers.size());
  out.Count(message.authority.size());
  out.Count(message.additional.size());
  for (const Question& question : message.questions) out.Write(question);
  for (const Record& record : message.answers) out.Write(record);
  for (const Record& record : message.authority) out.Write(record);
  for (const Record& record : message.additional) out.Write(record);
  if (!out.ok()) return InvalidArgument("DNS message with a string or record that is too long");
  std::string packet = out.TakePacket();
  if (packet.size() <= kMaxDatagram) return packet;
  return InvalidArgument("DNS message of " + std::to_string(packet.size()) +
                         " octets; a datagram holds " + std::to_string(kMaxDatagram));
}

}  // namespace micro::dns
