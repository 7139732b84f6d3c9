#include "registry/mdns/txt.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace micro::mdns {
namespace {

// Made by go-micro v2.9.1.
constexpr std::string_view kGoHex =
    "789c8490b14ec5300c45ffe5ce111f901dc1c202120b7a4368ad1291c6c1768b9eaafc3b4a29a515035394ab737d"
    "2c2f7822996347f078a394f89325f5707826d1c8191e2918a9c1e136f7856336857f5990c3d84a7742642437f7ad"
    "0c07a18fa9e17e271eb7c4c1aee51ccc214d741ab73e3ba926310f07304f29d54b6d1a2d9c954e9e2d3a88f6e4af"
    "69688b7f4fffd73692853e58805f6abd383cfcfef12afc4ed2ce6756e050848d3b4eaba274eb4986a82657788c7d"
    "563828c9bc7636c224642d2cf613d5fa150000ffff801d8b6e";
constexpr std::string_view kGoJson =
    R"({"Service":"helloworld","Version":"latest","Endpoints":[{"name":"Greeter.Hello","request":)"
    R"({"name":"Request","type":"Request","values":[{"name":"name","type":"string","values":null}]},)"
    R"("response":{"name":"Response","type":"Response","values":[{"name":"greeting","type":)"
    R"("string","values":null}]},"metadata":{}}],"Metadata":{"broker":"http","protocol":"grpc",)"
    R"("registry":"mdns","server":"grpc","transport":"grpc"}})";

std::vector<std::string> Strings(std::string_view hex) {
  return {std::string(hex.substr(0, 255)), std::string(hex.substr(255))};
}

TEST(TxtTest, ReadsWhatGoMicroMade) {
  ASSERT_EQ(kGoHex.size(), 418U);
  EXPECT_EQ(UnpackTxt(Strings(kGoHex)), kGoJson);
  const auto fields = DecodeTxt(Strings(kGoHex));
  ASSERT_TRUE(fields) << fields.error().detail();
  EXPECT_EQ(fields->service, "helloworld");
  EXPECT_EQ(fields->version, "latest");
  ASSERT_EQ(fields->endpoints.size(), 1U);
  EXPECT_EQ(fields->endpoints[0].name, "Greeter.Hello");
  EXPECT_EQ(fields->metadata.at("broker"), "http");
}

TEST(TxtTest, WritesTheSameJsonAsGoMicro) {
  const auto fields = DecodeTxt(Strings(kGoHex)).value();
  EXPECT_EQ(WriteTxtJson(fields), kGoJson);
  const auto strings = EncodeTxt(fields).value();
  EXPECT_EQ(UnpackTxt(strings), kGoJson);
  ASSERT_EQ(strings.size(), 2U);
  EXPECT_EQ(strings[0].size(), 255U);
  EXPECT_TRUE(strings[0].starts_with("789c"));
}

TEST(TxtTest, WritesNullForWhatIsEmpty) {
  EXPECT_EQ(
      WriteTxtJson({.service = "go.micro.nats.broker", .version = "v2"}),
      R"({"Service":"go.micro.nats.broker","Version":"v2","Endpoints":null,"Metadata":null})");
}

TEST(TxtTest, TakesUpperCaseHexAndStoredBlocks) {
  std::string upper(kGoHex);
  for (char& c : upper) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  EXPECT_EQ(UnpackTxt(Strings(upper)), kGoJson);
  EXPECT_EQ(UnpackTxt({"7801010500faff68656c6c6f062c0215"}), "hello");
}

TEST(TxtTest, RejectsWhatIsCutOffOrChanged) {
  for (std::size_t size = 0; size < kGoHex.size(); ++size) {
    EXPECT_FALSE(DecodeTxt({std::string(kGoHex.substr(0, size))})) << size;
  }
  EXPECT_FALSE(DecodeTxt({}));
  EXPECT_FALSE(DecodeTxt({"zz"}));
  EXPECT_FALSE(DecodeTxt({"789c"}));
}

TEST(TxtTest, RefusesATextThatInflatesWithoutBound) {
  EXPECT_EQ(UnpackTxt(PackTxt(std::string(1 << 20, 'x')).value())->size(), std::size_t{1} << 20);
  const std::string bomb(64 << 20, 'x');
  uLongf size = compressBound(bomb.size());
  std::string octets(size, '\0');
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(octets.data()), &size,
                     reinterpret_cast<const Bytef*>(bomb.data()), bomb.size()),
            Z_OK);
  std::string hex;
  for (const char c : octets.substr(0, size)) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  const auto text = UnpackTxt({hex});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().detail(), "TXT record: more than 1 MiB of text");
  EXPECT_FALSE(PackTxt(bomb));
}

}  // namespace
}  // namespace micro::mdns
