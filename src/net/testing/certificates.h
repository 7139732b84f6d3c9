#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Certificates for tests, made as they run.
namespace micro::net::testing {

/// A directory that goes with its owner.
class Folder {
 public:
  Folder() {
    std::string path = (std::filesystem::temp_directory_path() / "micro-XXXXXX").string();
    path_ = ::mkdtemp(path.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// A CA, and what it signs.
class Ca {
 public:
  explicit Ca(const std::string& name = "Test CA")
      : key_(EVP_EC_gen("P-256")), certificate_(Make(name, *key_, nullptr, "")) {}

  /// Writes the CA's certificate.
  void Write(const std::string& path) const {
    const File file(path);
    PEM_write_X509(file.get(), certificate_.get());
  }

  /// Writes a key and a certificate for it; `names` such as "DNS:localhost,IP:127.0.0.1". `valid`:
  /// false for one whose time is over.
  void Issue(const std::string& cert, const std::string& key, const std::string& names,
             const std::string& subject = "test", bool valid = true) const {
    const Key own(EVP_EC_gen("P-256"));
    const Certificate made = Make(subject, *own, this, names, valid);
    WriteAside(key, [&](std::FILE* file) {
      PEM_write_PrivateKey(file, own.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    WriteAside(cert, [&](std::FILE* file) { PEM_write_X509(file, made.get()); });
  }

  /// Writes a key that wants a passphrase.
  static void WriteLockedKey(const std::string& path) {
    const Key own(EVP_EC_gen("P-256"));
    const File file(path);
    std::array<unsigned char, 6> phrase = {'s', 'e', 'c', 'r', 'e', 't'};
    PEM_write_PrivateKey(file.get(), own.get(), EVP_aes_128_cbc(), phrase.data(), phrase.size(),
                         nullptr, nullptr);
  }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  using Certificate = std::unique_ptr<X509, Free>;
  struct File : std::unique_ptr<std::FILE, Free> {
    explicit File(const std::string& path) : unique_ptr(std::fopen(path.c_str(), "w")) {}
  };

  // As those do who replace certificates in use: whole, or not at all.
  template <typename Write>
  static void WriteAside(const std::string& path, Write write) {
    {
      write(File(path + ".new").get());
    }
    std::filesystem::rename(path + ".new", path);
  }

  static void Extend(X509& certificate, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    X509_add_ext(&certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  static Certificate Make(const std::string& subject, EVP_PKEY& key, const Ca* ca,
                          const std::string& names, bool valid = true) {
    static int serial = 0;
    constexpr long kDay = 24L * 3600;
    Certificate made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -2 * kDay);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), valid ? kDay : -kDay);
    X509_NAME* name = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(),
                         ca == nullptr ? name : X509_get_subject_name(ca->certificate_.get()));
    X509_set_pubkey(made.get(), &key);
    if (ca == nullptr) Extend(*made, NID_basic_constraints, "critical,CA:TRUE");
    if (!names.empty()) Extend(*made, NID_subject_alt_name, names);
    X509_sign(made.get(), ca == nullptr ? &key : ca->key_.get(), EVP_sha256());
    return made;
  }

  Key key_;
  Certificate certificate_;
};

}  // namespace micro::net::testing
