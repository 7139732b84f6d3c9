#include "broker/embedded/secret.h"

#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace micro::embedded {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr char kProof[] = "proof";

std::string ProofText(const Node& node) { return "node " + node.id + " " + node.address; }

}  // namespace

// HMAC-SHA256, in hex.
std::string Secret::Of(std::string_view text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex.append({kHex[digest[i] >> 4U], kHex[digest[i] & 15U]});
  return hex;
}

void Secret::Prove(Node& node) const {
  if (!empty()) node.metadata[kProof] = Of(ProofText(node));
}

bool Secret::IsProved(const Node& node) const {
  if (empty()) return true;
  const auto proof = node.metadata.find(kProof);
  const std::string expected = Of(ProofText(node));
  return proof != node.metadata.end() && proof->second.size() == expected.size() &&
         CRYPTO_memcmp(proof->second.data(), expected.data(), expected.size()) == 0;
}

}  // namespace micro::embedded
