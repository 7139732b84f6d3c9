#include "net/http1/parser.h"

#include <limits>
#include <utility>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace micro::http1 {
namespace {

namespace beast = boost::beast;
using beast::http::verb;
using ErrorCode = beast::error_code;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

std::string Text(beast::string_view text) { return {text.data(), text.size()}; }

Failure Refuse(int status, std::string why) { return Fails(Fault(status, std::move(why))); }

Failure Refuse(const ErrorCode& error) {
  if (error == beast::http::error::bad_version) {
    return Refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  }
  return Refuse(400, error.message());
}

}  // namespace

class Parser::Beast final : public beast::http::basic_parser<true> {
 public:
  Beast() {
    eager(true);
    body_limit(std::numeric_limits<std::uint64_t>::max());  // none would be below every length
  }

  http::Request request_;
  std::string* body_ = nullptr;
  int version_ = 11;
  bool in_head_ = true;
  int hosts_ = 0;
  int lengths_ = 0;
  int codings_ = 0;
  bool chunked_ = false;
  std::string expect_;

 private:
  void on_request_impl(verb /*method*/, beast::string_view method, beast::string_view target,
                       int version, ErrorCode& error) override {
    request_.method = Text(method);
    request_.target = Text(target);
    version_ = version;
    error = {};
  }

  void on_response_impl(int /*code*/, beast::string_view /*reason*/, int /*version*/,
                        ErrorCode& /*error*/) override {}

  void on_field_impl(beast::http::field name, beast::string_view text, beast::string_view value,
                     ErrorCode& error) override {
    error = {};
    if (!in_head_) return;  // trailers mean nothing to us
    Count(name, value);
    request_.fields.Add(View(text), View(value));
  }

  void Count(beast::http::field name, beast::string_view value) {
    using beast::http::field;
    if (name == field::host) {
      ++hosts_;
      request_.authority = Text(value);
    } else if (name == field::content_length) {
      lengths_ += value.find(',') == beast::string_view::npos ? 1 : 2;
    } else if (name == field::transfer_encoding) {
      ++codings_;
      chunked_ = beast::iequals(value, "chunked");
    } else if (name == field::expect) {
      expect_ = Text(value);
    }
  }

  void on_header_impl(ErrorCode& error) override {
    in_head_ = false;
    error = {};
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         ErrorCode& error) override {
    error = {};
  }
  std::size_t on_body_impl(beast::string_view bytes, ErrorCode& error) override {
    body_->append(bytes.data(), bytes.size());
    error = {};
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, beast::string_view /*extensions*/,
                            ErrorCode& error) override {
    error = {};
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, beast::string_view bytes,
                                 ErrorCode& error) override {
    return on_body_impl(bytes, error);
  }
  void on_finish_impl(ErrorCode& error) override { error = {}; }
};

namespace {

// What Beast lets pass, and what is unclear about where the request ends.
Status CheckFraming(const auto& parsed) {
  if (parsed.hosts_ > 1) return Refuse(400, "there is more than one Host");
  if (parsed.hosts_ == 0 && parsed.version_ >= 11) return Refuse(400, "there is no Host");
  if (parsed.lengths_ > 1) return Refuse(400, "there is more than one Content-Length");
  if (parsed.codings_ == 0) return Ok();
  if (parsed.version_ < 11) return Refuse(400, "HTTP/1.0 has no Transfer-Encoding");
  if (parsed.codings_ > 1 || !parsed.chunked_) {
    return Refuse(501, "the only Transfer-Encoding that is understood is chunked");
  }
  return Ok();
}

// A target in absolute form, as proxies are sent, becomes path and query; its authority counts.
Status MakeOrigin(http::Request& request) {
  constexpr std::string_view kScheme = "://";
  std::string& target = request.target;
  if (target.starts_with('/') || (target == "*" && request.method == "OPTIONS")) return Ok();
  const std::size_t scheme = target.find(kScheme);
  if (scheme == std::string::npos || scheme == 0 || scheme > target.find('/')) {
    return Refuse(400, "the target is no path");
  }
  target.erase(0, scheme + kScheme.size());
  const std::size_t path = std::min(target.find_first_of("/?"), target.size());
  request.authority = target.substr(0, path);
  target.erase(0, path);
  if (!target.starts_with('/')) target.insert(0, "/");
  return Ok();
}

}  // namespace

Error Fault(int status, std::string why) { return Error::FromHttpCode("", status, std::move(why)); }

Parser::Parser() = default;
Parser::~Parser() = default;

Result<http::Request> Parser::ReadHead(std::string_view head) {
  beast_ = std::make_unique<Beast>();
  beast_->header_limit(static_cast<std::uint32_t>(head.size() + 1));
  ErrorCode error;
  const std::size_t used = beast_->put(boost::asio::buffer(head.data(), head.size()), error);
  if (error == beast::http::error::need_more && beast_->is_header_done()) error = {};
  if (error) return Refuse(error);
  if (!beast_->is_header_done() || used != head.size()) return Refuse(400, "the head breaks off");
  if (Status framing = CheckFraming(*beast_); !framing) return Failure(framing.error());
  if (Status target = MakeOrigin(beast_->request_); !target) return Failure(target.error());
  if (!beast_->expect_.empty() && !beast::iequals(beast_->expect_, "100-continue")) {
    return Refuse(417, "what is expected is not understood");
  }
  return std::move(beast_->request_);
}

Result<std::size_t> Parser::ReadBody(std::string_view bytes, std::string& body) {
  beast_->body_ = &body;
  ErrorCode error;
  const std::size_t used = beast_->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error && error != beast::http::error::need_more) return Refuse(error);
  return used;
}

bool Parser::done() const { return beast_->is_done(); }

std::optional<std::uint64_t> Parser::remaining() const {
  if (done()) return 0;
  const auto left = beast_->content_length_remaining();
  if (!left) return std::nullopt;
  return *left;
}

bool Parser::keep_alive() const { return http11() && beast_->keep_alive(); }
bool Parser::http11() const { return beast_->version_ >= 11; }
bool Parser::expects_continue() const { return http11() && !beast_->expect_.empty(); }

}  // namespace micro::http1
