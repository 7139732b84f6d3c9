#include "net/http1/head.h"

#include <ctime>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/status.hpp>

namespace micro::http1 {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

std::string_view ReasonOf(int status) {
  constexpr int kClientClosedRequest = 499;
  if (status == kClientClosedRequest) return "Client Closed Request";
  const auto reason = beast::http::obsolete_reason(beast::http::int_to_status(status));
  return {reason.data(), reason.size()};
}

// As RFC 9110 section 5.6.7 wants it, whatever the locale.
std::string DateNow() {
  constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                     "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm tm{};
  ::gmtime_r(&now, &tm);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y %H:%M:%S", &tm);
  const std::string day = std::to_string(100 + tm.tm_mday).substr(1);
  return std::string(kDays.at(static_cast<std::size_t>(tm.tm_wday))) + ", " + day + " " +
         std::string(kMonths.at(static_cast<std::size_t>(tm.tm_mon))) + " " +
         std::string(text.data(), size) + " GMT";
}

// The second's date, once for all responses of a thread.
const std::string& Date() {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  if (const std::time_t now = std::time(nullptr); std::exchange(second, now) != now) {
    text = DateNow();
  }
  return text;
}

void Field(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

template <typename Buffers>
void AppendAll(const Buffers& buffers, std::string& out) {
  for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers);
       ++it) {
    const asio::const_buffer piece(*it);
    out.append(static_cast<const char*>(piece.data()), piece.size());
  }
}

}  // namespace

void WriteHead(const ResponseHead& head, std::string& out) {
  out.append("HTTP/1.1 ").append(std::to_string(head.status)).append(" ");
  out.append(ReasonOf(head.status)).append("\r\n");
  Field("Date", Date(), out);
  for (const auto& [name, value] : *head.fields) Field(name, value, out);
  if (head.framing == Framing::kLength) Field("Content-Length", std::to_string(head.length), out);
  if (head.framing == Framing::kChunked) Field("Transfer-Encoding", "chunked", out);
  if (head.close) Field("Connection", "close", out);
  out.append("\r\n");
}

void WriteChunk(std::string_view bytes, std::string& out) {
  if (bytes.empty()) return;
  AppendAll(beast::http::make_chunk(asio::buffer(bytes.data(), bytes.size())), out);
}

void WriteLastChunk(std::string& out) { AppendAll(beast::http::make_chunk_last(), out); }

std::optional<std::size_t> FindHeadEnd(std::string_view bytes, std::size_t& looked) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t end = bytes.find(kEnd, looked);
  if (end != std::string_view::npos) return end + kEnd.size();
  looked = bytes.size() < kEnd.size() ? 0 : bytes.size() - kEnd.size() + 1;
  return std::nullopt;
}

std::string_view LineFault(std::string_view head, std::size_t from) {
  for (std::size_t i = from; i < head.size(); ++i) {
    const bool last = i + 1 == head.size();
    const char next = last ? '\0' : head[i + 1];
    switch (head[i]) {
      case '\0':
        return "there is a zero byte in the head";
      case '\r':
        if (!last && next != '\n') return "there is a CR without LF in the head";
        break;
      case '\n':
        if (i == 0 || head[i - 1] != '\r') return "there is an LF without CR in the head";
        if (!last && (next == ' ' || next == '\t')) return "a line of the head is folded";
        break;
      default:
        break;
    }
  }
  return {};
}

}  // namespace micro::http1
