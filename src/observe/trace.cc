#include "observe/trace.h"

#include <array>
#include <bit>
#include <random>

namespace micro {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

void PutHex(char* to, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = kHex[(value >> shift) & 15U];
}

std::string Hex(std::uint64_t value) {
  std::string text(16, '0');
  PutHex(text.data(), value);
  return text;
}

}  // namespace

std::string TraceContext::trace_id() const { return Hex(trace_high) + Hex(trace_low); }
std::string TraceContext::span_id() const { return Hex(span); }
std::string TraceContext::parent_id() const { return parent == 0 ? "" : Hex(parent); }

namespace observe {
namespace {

constexpr std::string_view kTraceparent = "traceparent";
constexpr std::string_view kTracestate = "tracestate";
constexpr std::string_view kTraceId = "micro-trace-id";
constexpr std::string_view kSpanId = "micro-span-id";
constexpr std::string_view kId = "micro-id";
constexpr std::size_t kTraceparentSize = 55;
constexpr std::size_t kUuidSize = 36;

// xoshiro256++, by Blackman and Vigna: four words of state, seeded by the system.
class Generator {
 public:
  Generator() {
    std::random_device random;
    for (std::uint64_t& word : state_) word = (std::uint64_t{random()} << 32U) | random();
    state_[0] |= 1U;  // all zero would stay so
  }

  std::uint64_t Next() noexcept {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

// What each character is as a hex digit; -1: none.
constexpr std::array<std::int8_t, 256> kDigits = [] {
  std::array<std::int8_t, 256> digits{};
  digits.fill(-1);
  for (std::size_t i = 0; i < kHex.size(); ++i) {
    digits[static_cast<unsigned char>(kHex[i])] = static_cast<std::int8_t>(i);
  }
  return digits;
}();

int Digit(char c) { return kDigits[static_cast<unsigned char>(c)]; }

// Sixteen hex digits, in lower case.
bool ReadHex(std::string_view text, std::uint64_t& value) {
  value = 0;
  int bad = 0;
  for (const char c : text) {
    const int digit = Digit(c);
    bad |= digit;
    value = (value << 4U) | static_cast<std::uint64_t>(digit & 15);
  }
  return bad >= 0;
}

// Ids of go-micro's are UUIDs, and may be any text: that stands for the same bits every time.
std::uint64_t Fold(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = 14695981039346656037U ^ seed;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash == 0 ? 1 : hash;
}

bool ReadUuid(std::string_view text, std::uint64_t& high, std::uint64_t& low) {
  if (text.size() != kUuidSize) return false;
  std::array<char, 32> digits{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return false;
    if (!dash) digits[count++] = text[i];
  }
  const std::string_view all(digits.data(), digits.size());
  return ReadHex(all.substr(0, 16), high) && ReadHex(all.substr(16), low);
}

// Laid out so that a trace that began with a UUID goes on under the same one.
std::string Uuid(const TraceContext& trace) {
  const std::string hex = trace.trace_id();
  const std::string_view digits = hex;
  std::string text;
  text.reserve(kUuidSize);
  text.append(digits.substr(0, 8)).append("-").append(digits.substr(8, 4)).append("-");
  text.append(digits.substr(12, 4)).append("-").append(digits.substr(16, 4)).append("-");
  return text.append(digits.substr(20));
}

TraceContext FromMicro(std::string_view trace_id, std::string_view span_id) {
  TraceContext trace{.sampled = true};
  if (!ReadUuid(trace_id, trace.trace_high, trace.trace_low)) {
    trace.trace_high = Fold(trace_id, 0);
    trace.trace_low = Fold(trace_id, 1);
  }
  std::uint64_t rest = 0;
  const bool ours = span_id.size() == 16 && ReadHex(span_id, trace.parent);
  if (!ours && !ReadUuid(span_id, trace.parent, rest)) trace.parent = Fold(span_id, 0);
  return trace;
}

// The keys of a request that matter here, found in one go.
struct Found {
  explicit Found(const Metadata& metadata) {
    for (const auto& [key, value] : metadata) {
      switch (key.size()) {
        case kTraceparent.size():
          if (key == kTraceparent) Take(traceparent, value);
          break;
        case kTraceId.size():
          if (key == kTraceId) Take(trace_id, value);
          break;
        case kSpanId.size():
          if (key == kSpanId) Take(span_id, value);
          break;
        case kId.size():
          if (key == kId) Take(id, value);
          break;
        default:
          break;
      }
    }
    if (trace_id.empty()) trace_id = id;
  }

  bool micro() const { return !trace_id.empty() && !span_id.empty(); }

  static void Take(std::string_view& to, std::string_view value) {
    if (to.empty()) to = value;
  }

  std::string_view traceparent;
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view id;
};

void AddTraceparent(const TraceContext& trace, Metadata& metadata) {
  std::array<char, kTraceparentSize> text{};
  text[0] = text[1] = '0';
  text[2] = text[35] = text[52] = '-';
  PutHex(text.data() + 3, trace.trace_high);
  PutHex(text.data() + 19, trace.trace_low);
  PutHex(text.data() + 36, trace.span);
  text[53] = '0';
  text[54] = trace.sampled ? '1' : '0';
  metadata.Add(kTraceparent, {text.data(), text.size()});
}

void AddMicro(const TraceContext& trace, std::string_view trace_id, Metadata& metadata) {
  if (trace_id.empty()) {
    metadata.Add(kTraceId, Uuid(trace));
  } else {
    metadata.Add(kTraceId, trace_id);
  }
  metadata.Add(kSpanId, trace.span_id());
}

}  // namespace

std::uint64_t RandomId() noexcept {
  thread_local Generator generator;
  std::uint64_t id = generator.Next();
  while (id == 0) id = generator.Next();
  return id;
}

TraceContext NewTrace() noexcept {
  return {.trace_high = RandomId(),
          .trace_low = RandomId(),
          .span = RandomId(),
          .parent = 0,
          .sampled = true};
}

TraceContext ChildOf(const TraceContext& parent) noexcept {
  if (!parent) return NewTrace();
  TraceContext child = parent;
  child.parent = parent.span;
  child.span = RandomId();
  return child;
}

// Later versions may carry more behind the flags.
std::optional<TraceContext> ParseTraceparent(std::string_view text) {
  if (text.size() < kTraceparentSize || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  const int version = Digit(text[0]) < 0 ? -1 : Digit(text[0]) * 16 + Digit(text[1]);
  if (Digit(text[1]) < 0 || version < 0 || version == 255) return std::nullopt;
  if (text.size() > kTraceparentSize && (version == 0 || text[55] != '-')) return std::nullopt;
  if (Digit(text[53]) < 0 || Digit(text[54]) < 0) return std::nullopt;
  TraceContext trace{.sampled = (Digit(text[54]) & 1) != 0};
  if (!ReadHex(text.substr(3, 16), trace.trace_high)) return std::nullopt;
  if (!ReadHex(text.substr(19, 16), trace.trace_low)) return std::nullopt;
  if (!ReadHex(text.substr(36, 16), trace.span)) return std::nullopt;
  return trace ? std::optional(trace) : std::nullopt;
}

TraceContext Continue(const Metadata& metadata) {
  const Found found(metadata);
  if (const auto sender = ParseTraceparent(found.traceparent)) return ChildOf(*sender);
  if (!found.micro()) return NewTrace();
  TraceContext trace = FromMicro(found.trace_id, found.span_id);
  trace.span = RandomId();
  return trace ? trace : NewTrace();
}

Result<TraceHeaders> ParseTraceHeaders(std::string_view text) {
  const bool both = text == "both";
  if (!both && text != "w3c" && text != "micro" && text != "none") {
    return InvalidArgument("unknown trace headers \"" + std::string(text) +
                           "\"; known: w3c, micro, both, none");
  }
  return TraceHeaders{.w3c = both || text == "w3c", .micro = both || text == "micro"};
}

void Inject(const TraceContext& trace, const Metadata* inbound, TraceHeaders headers,
            Metadata& metadata) {
  if (!trace || (!headers.w3c && !headers.micro)) return;
  const Found own(metadata);
  const bool has_parent = !own.traceparent.empty();
  const bool has_micro = !own.trace_id.empty() || !own.span_id.empty();
  std::optional<Found> came;
  if (inbound != nullptr) came.emplace(*inbound);
  if (headers.w3c && !has_parent) {
    AddTraceparent(trace, metadata);
    if (came && !came->traceparent.empty()) {
      for (const std::string_view state : inbound->GetAll(kTracestate)) {
        metadata.Add(kTracestate, state);
      }
    }
  }
  if (headers.micro && !has_micro)
    AddMicro(trace, came && came->micro() ? came->trace_id : "", metadata);
}

}  // namespace observe
}  // namespace micro
