// The service of gRPC's interop tests.
//
//     grpc-interop-server --port N [--use_tls] [--async]
//
// It listens on 127.0.0.1; port 0 is any free one. With --use_tls it makes a certificate for
// 127.0.0.1 and localhost, and leaves the CA in --ca_file; with --async its handlers are
// coroutines. All of a micro service's flags work too.
#include <optional>
#include <string>

#include <micro/micro.h>

#include "flags.h"
#include "net/testing/certificates.h"
#include "service.h"

namespace {

/// A certificate for as long as the server runs.
struct OwnTls {
  explicit OwnTls(const std::string& ca_file) {
    const micro::net::testing::Ca ca("grpc-interop");
    ca.Write(ca_file);
    ca.Issue(cert, key, "DNS:localhost,IP:127.0.0.1");
  }
  micro::net::testing::Folder folder;
  std::string cert = folder / "cert.pem";
  std::string key = folder / "key.pem";
};

}  // namespace

int main(int argc, char** argv) {
  int port = 0;
  bool use_tls = false;
  bool async = false;
  std::string ca_file = grpc_interop::DefaultCaFile();
  std::optional<OwnTls> tls;
  if (grpc_interop::IsGiven(argc, argv, "use_tls")) {
    tls.emplace(grpc_interop::Given(argc, argv, "ca_file", ca_file));
  }
  micro::Service service(
      {.name = "grpc.testing",
       .address = "127.0.0.1:" + grpc_interop::Given(argc, argv, "port", "0"),
       .registry = "memory",
       .tls_cert = tls ? tls->cert : "",
       .tls_key = tls ? tls->key : "",
       .flags = {{.name = "port", .help = "where to listen", .value = &port},
                 {.name = "async", .help = "serve with coroutines", .value = &async},
                 {.name = "use_tls", .help = "serve with TLS", .value = &use_tls},
                 {.name = "ca_file", .help = "where the CA is left", .value = &ca_file}}},
      argc, argv);
  service.Handle(async ? grpc_interop::MakeAsyncService() : grpc_interop::MakeBlockingService());
  return service.Run();
}
