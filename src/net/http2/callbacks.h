#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nghttp2/nghttp2.h>

#include "net/http2/session.h"
#include "net/http2/stream.h"

namespace micro::http2 {

inline std::string_view View(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// nghttp2's callbacks: what it tells a session, and what it asks of one. The user pointer is the
/// session.
struct Callbacks {
  static Session& Self(void* user);
  static Stream* StreamOf(Session& self, std::int32_t id);
  static int OnBeginFrame(nghttp2_session* session, const nghttp2_frame_hd* head, void* user);
  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame,
                      const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                      std::size_t value_size, std::uint8_t flags, void* user);
  static int OnData(nghttp2_session* session, std::uint8_t flags, std::int32_t id,
                    const std::uint8_t* data, std::size_t size, void* user);
  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static void OnEnd(Session& self, std::int32_t id);
  static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static int OnInvalidFrame(nghttp2_session* session, const nghttp2_frame* frame, int error,
                            void* user);
  static int OnStreamClose(nghttp2_session* session, std::int32_t id, std::uint32_t error,
                           void* user);
  static ssize_t ReadBody(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                          std::size_t length, std::uint32_t* flags, nghttp2_data_source* source,
                          void* user);
  static int SendData(nghttp2_session* session, nghttp2_frame* /*frame*/,
                      const std::uint8_t* frame_head, std::size_t length,
                      nghttp2_data_source* source, void* user);
  static nghttp2_session_callbacks* Make();
  static nghttp2_option* MakeOption();
  static nghttp2_session* MakeSession(Role role, void* user);
};

}  // namespace micro::http2
