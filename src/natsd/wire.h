#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "natsd/alarm.h"
#include "natsd/loop.h"
#include "natsd/out_queue.h"
#include "natsd/slab.h"
#include "natsd/tls_end.h"

namespace micro::natsd {

class Engine;

/// A socket and the bytes on it, in both directions, plain or in TLS.
class Wire final : public Watch {
 public:
  struct Taken {
    std::size_t used = 0;
    std::size_t need = 0;  ///< how many of the rest there must be to go on; 0: as many as there are
  };

  /// Who reads and writes it.
  class Owner {
   public:
    /// What came, and lies in `slab`. What is not used is given again, with more behind it.
    virtual Taken OnInput(const SlabRef& slab, std::string_view bytes) = 0;
    /// There is room to write again.
    virtual void OnRoom() = 0;
    /// The other side is gone, or said nothing for too long; or TLS failed.
    virtual void OnLost(std::string_view reason) = 0;
    /// TLS stands.
    virtual void OnSecure() {}

   protected:
    ~Owner() = default;
  };

  Wire(Engine& engine, int descriptor, Owner& owner);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  /// Begins to read. The owner is whole now.
  void Start();
  /// As Start, but with TLS's handshake first.
  void StartTls(std::unique_ptr<TlsEnd> tls, Duration timeout);
  /// As StartTls if the first byte is a handshake's; else `plain` is called and reading begins.
  void Sniff(std::function<std::unique_ptr<TlsEnd>()> make, Duration timeout,
             std::function<void()> plain);

  /// Writes what the socket takes. False once it is lost, which the owner was told.
  bool Write(OutQueue& out);
  /// Whether the socket takes no more for now.
  bool blocked() const { return blocked_; }

  /// Reads no more until Resume; what was read is kept.
  void Pause();
  void Resume();
  bool paused() const { return paused_; }

  /// Closes at once; with `linger`, what was written has some time to be read first.
  void Close(bool linger);

  /// An end of TLS on this socket; who dials expects a certificate for `host`.
  std::unique_ptr<TlsEnd> NewTls(net::TlsContext& context, const std::string& host) const {
    return std::make_unique<TlsEnd>(context, descriptor_, host);
  }
  bool secure() const { return tls_ != nullptr; }
  const std::string& ip() const { return ip_; }
  std::uint16_t port() const { return port_; }

  void OnEvents(std::uint32_t events) override;
  /// Engine::ReadAgain's turn has come.
  void OnReadAgain();

 private:
  // What was read and not used yet.
  struct Held {
    SlabRef slab;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t need = 0;
    bool roomy = false;  // its slab is ours alone, and has room for what is needed

    bool empty() const { return begin == end; }
    std::size_t size() const { return end - begin; }
    std::string_view bytes() const { return {slab->data() + begin, size()}; }
  };

  void ReadSome();
  void ReadBehind(std::size_t room);
  ssize_t Receive(char* first, std::size_t first_size, char* second, std::size_t second_size);
  void Offer();
  void Keep(std::size_t need);
  void Merge(const SlabRef& slab, std::size_t size);
  void Shake();
  void SniffNow();
  void Watch();
  void Lose(std::string_view reason);
  ssize_t Send(const OutQueue& out, bool& whole);

  Engine& engine_;
  int descriptor_;
  Owner& owner_;
  std::string ip_;
  std::uint16_t port_ = 0;
  std::unique_ptr<TlsEnd> tls_;
  std::function<std::unique_ptr<TlsEnd>()> sniff_;
  std::function<void()> plain_;
  Duration tls_timeout_{};
  bool shaking_ = false;
  bool watched_ = false;
  std::uint32_t events_ = 0;  // that are watched for
  bool paused_ = false;
  bool blocked_ = false;
  bool lost_ = false;
  Held held_;
  Alarm deadline_;  // of a write, or of a handshake
};

}  // namespace micro::natsd
