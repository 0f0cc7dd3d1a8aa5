// Addresses as text, and the networks that they belong to.
#include "NetworkList.h"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "NetConfig.h"
#include "io/Socket.h"

namespace NetLib::Test {
namespace {

IpAddress AddressOf(const std::string& text)
{
    const auto address = IpAddress::Parse(text);
    if (!address)
        throw std::runtime_error(text + " is no address");
    return *address;
}

std::string TextOf(const IpAddress& address) { return SocketAddress(IpEndpoint{address, 80}).Text().data(); }

TEST(IpAddress, GoodTexts)
{
    const std::pair<const char*, const char*> texts[] = {
        {"0.0.0.0", "0.0.0.0:80"},
        {"255.255.255.255", "255.255.255.255:80"},
        {"1.20.103.4", "1.20.103.4:80"},
        {"::", "[::]:80"},
        {"::1", "[::1]:80"},
        {"1::", "[1::]:80"},
        {"1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:80"},
        {"::2:3:4:5:6:7:8", "[0:2:3:4:5:6:7:8]:80"},
        {"1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]:80"},
        {"2001:DB8::00aF", "[2001:db8::af]:80"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:80"},
        {"64:ff9b::1.2.3.4", "[64:ff9b::102:304]:80"},
        {"1:2:3:4:5:6:1.2.3.4", "[1:2:3:4:5:6:102:304]:80"},
        {"::ffff:1.2.3.4", "1.2.3.4:80"}, // an IPv6 socket's name for an IPv4 client
        {"::ffff:0102:0304", "1.2.3.4:80"},
    };
    for (const auto& [text, expected] : texts)
        EXPECT_EQ(TextOf(AddressOf(text)), expected) << text;
    EXPECT_TRUE(AddressOf("1.2.3.4").IsV4);
    EXPECT_FALSE(AddressOf("::ffff:1.2.3.4").IsV4);
    EXPECT_EQ(AddressOf("::ffff:1.2.3.4").Unmapped(), AddressOf("1.2.3.4"));
    EXPECT_EQ(AddressOf("::fffe:1.2.3.4").Unmapped(), AddressOf("::fffe:1.2.3.4"));
}

TEST(IpAddress, BadTexts)
{
    for (const char* text : {"",
                             " ",
                             "1",
                             "1.2.3",
                             "1.2.3.4.5",
                             "1.2.3.",
                             ".1.2.3",
                             "1..2.3",
                             "1.2.3.256",
                             "1.2.3.1000",
                             "01.2.3.4",
                             "1.2.3.00",
                             "1.2.3.+4",
                             "1.2.3.-4",
                             "1.2.3.4 ",
                             " 1.2.3.4",
                             "1.2.3.a",
                             "0x1.2.3.4",
                             "localhost",
                             ":",
                             ":::",
                             ":1",
                             "1:",
                             "1:2:3:4:5:6:7",
                             "1:2:3:4:5:6:7:8:9",
                             "1:2:3:4:5:6:7:8::",
                             "::1:2:3:4:5:6:7:8",
                             "1::2::3",
                             "1:::2",
                             "12345::",
                             "g::",
                             "::1%1",
                             "[::1]",
                             "1.2.3.4::",
                             "::1.2.3.4:5",
                             "1:2:3:4:5:6:7:1.2.3.4",
                             "::1.2.3",
                             "::1.2.3.256",
                             "::1 "})
        EXPECT_FALSE(IpAddress::Parse(text)) << "\"" << text << "\"";
    EXPECT_FALSE(IpAddress::Parse(std::string("1.2.3.4\0", 8)));
}

TEST(IpAddress, SocketAddressesAndBack)
{
    for (const char* text : {"1.2.3.4", "2001:db8::1", "::ffff:1.2.3.4"}) {
        const SocketAddress address(IpEndpoint{AddressOf(text), 513});
        EXPECT_EQ(address.Ip(), AddressOf(text));
        EXPECT_EQ(address.Port(), 513);
    }
    EXPECT_FALSE(SocketAddress().Ip());
}

TEST(IpAddress, PrefixOfEveryLength)
{
    const IpAddress all = AddressOf("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    for (uint32_t bits = 0; bits <= 128; ++bits) {
        const IpAddress prefix = all.Prefix(bits);
        for (uint32_t bit = 0; bit < 128; ++bit)
            ASSERT_EQ((prefix.Bytes[bit / 8] >> (7 - bit % 8)) & 1, bit < bits ? 1 : 0) << bit << " of " << bits;
    }
    EXPECT_EQ(AddressOf("10.255.255.255").Prefix(9), AddressOf("10.128.0.0"));
}

NetworkList ListOf(const std::string& text)
{
    auto list = NetworkList::Parse(text);
    if (!list)
        throw std::runtime_error(text + " " + list.error());
    return *list;
}

void ExpectIn(const std::string& list, std::initializer_list<const char*> in, std::initializer_list<const char*> out)
{
    const NetworkList networks = ListOf(list);
    for (const char* address : in)
        EXPECT_TRUE(networks.Contains(AddressOf(address))) << address << " in " << list;
    for (const char* address : out)
        EXPECT_FALSE(networks.Contains(AddressOf(address))) << address << " in " << list;
}

TEST(NetworkList, Contains)
{
    ExpectIn("10.0.0.1", {"10.0.0.1", "::ffff:10.0.0.1"}, {"10.0.0.2", "10.0.0.0", "::a00:1", "a00:1::"});
    ExpectIn("10.0.0.0/8", {"10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"}, {"9.255.255.255", "11.0.0.0", "::"});
    ExpectIn("192.0.2.128/25", {"192.0.2.128", "192.0.2.255"}, {"192.0.2.127", "192.0.3.128"});
    ExpectIn("0.0.0.0/0", {"0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"}, {"::", "::1"});
    ExpectIn("::/0", {"::", "::1", "ffff::"}, {"0.0.0.0", "1.2.3.4", "::ffff:1.2.3.4"});
    ExpectIn("2001:db8::/33", {"2001:db8::", "2001:db8:7fff:ffff::"}, {"2001:db8:8000::", "2001:db7::"});
    ExpectIn("2001:db8::5", {"2001:db8::5"}, {"2001:db8::4", "2001:db8::"});
    ExpectIn("::1/128", {"::1"}, {"::", "::2"});
    // A mapped network is what it maps.
    ExpectIn("::ffff:10.0.0.0/104", {"10.1.2.3", "::ffff:10.1.2.3"}, {"11.0.0.0", "::10.1.2.3"});
    ExpectIn("::ffff:1.2.3.4", {"1.2.3.4"}, {"1.2.3.5"});
    ExpectIn("  10.0.0.1  ,2001:db8::/32, 192.168.0.0/16 ", {"10.0.0.1", "2001:db8:1::", "192.168.255.1"},
             {"10.0.0.2"});
}

TEST(NetworkList, Empty)
{
    EXPECT_TRUE(ListOf("").IsEmpty());
    EXPECT_FALSE(ListOf("").Contains(AddressOf("1.2.3.4")));
    EXPECT_EQ(ListOf("::1,::1").Size(), 2u);
}

TEST(NetworkList, BadEntriesAreNamed)
{
    const std::pair<const char*, const char*> texts[] = {
        {"localhost", "contains \"localhost\": "},
        {"10.0.0.1,10.0.0.256,nonsense", "contains \"10.0.0.256\": "},
        {" ", "contains \"\": "},
        {",10.0.0.1", "contains \"\": "},
        {"10.0.0.1,", "contains \"\": "},
        {"10.0.0.1, ,10.0.0.2", "contains \"\": "},
        {"10.0.0.1 10.0.0.2", "contains \"10.0.0.1 10.0.0.2\": "},
        {"10.0.0.1:80", "contains \"10.0.0.1:80\": "},
        {"10.0.0.0/", "contains \"10.0.0.0/\": the length of an IPv4 prefix is 0 to 32"},
        {"10.0.0.0/33", "contains \"10.0.0.0/33\": the length of an IPv4 prefix is 0 to 32"},
        {"10.0.0.0/08", "contains \"10.0.0.0/08\": the length"},
        {"10.0.0.0/-1", "contains \"10.0.0.0/-1\": the length"},
        {"10.0.0.0/8/8", "contains \"10.0.0.0/8/8\": the length"},
        {"10.0.0.0 /8", "contains \"10.0.0.0 /8\": "},
        {"10.0.0.0/4294967304", "contains \"10.0.0.0/4294967304\": the length"},
        {"2001:db8::/129", "contains \"2001:db8::/129\": the length of an IPv6 prefix is 0 to 128"},
        {"10.0.0.1/8", "contains \"10.0.0.1/8\": this is an address within a network"},
        {"2001:db8::1/64", "contains \"2001:db8::1/64\": this is an address within a network"},
        {"10.0.0.1/0", "contains \"10.0.0.1/0\": this is an address within a network"},
    };
    for (const auto& [text, begin] : texts) {
        const auto list = NetworkList::Parse(text);
        ASSERT_FALSE(list) << text;
        EXPECT_TRUE(list.error().starts_with(begin)) << list.error();
    }
    const auto cut = NetworkList::Parse(std::string(65, 'x'));
    ASSERT_FALSE(cut);
    EXPECT_TRUE(cut.error().starts_with("contains \"" + std::string(64, 'x') + "...\": ")) << cut.error();
}

TEST(NetworkList, AsManyAsThereMayBe)
{
    std::string text = "10.0.0.0";
    for (int i = 1; i < 64; ++i)
        text += ",10.0.0." + std::to_string(i);
    EXPECT_EQ(ListOf(text).Size(), 64u);
    EXPECT_TRUE(ListOf(text).Contains(AddressOf("10.0.0.63")));
    const auto list = NetworkList::Parse(text + ",10.0.0.64");
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error(), "has more than 64 entries");
}

// As a field of NetLib_Config.
TEST(NetworkList, InAConfig)
{
    NetLib_Config config{};
    NetLib_DefaultConfig(&config);
    for (const char* none : {static_cast<const char*>(nullptr), ""}) {
        config.ProxySources = none;
        const auto checked = CheckConfig(config);
        ASSERT_TRUE(checked);
        EXPECT_TRUE(checked->ProxySources.IsEmpty());
    }
    std::string longest = "10.0.0.0/8";
    longest.resize(4096, ' ');
    config.ProxySources = longest.c_str();
    const auto checked = CheckConfig(config);
    ASSERT_TRUE(checked) << checked.error().Text;
    EXPECT_TRUE(checked->ProxySources.Contains(AddressOf("10.0.0.1")));
    longest.push_back(' ');
    config.ProxySources = longest.c_str();
    const auto tooLong = CheckConfig(config);
    ASSERT_FALSE(tooLong);
    EXPECT_EQ(tooLong.error().Result, 100);
    EXPECT_EQ(tooLong.error().Text, "ProxySources is longer than 4096 bytes");
    config.ProxySources = "::1, 10.0.0.0/8, 10.0.0.1/24";
    const auto bad = CheckConfig(config);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().Result, 100);
    EXPECT_EQ(bad.error().Text, "ProxySources contains \"10.0.0.1/24\": this is an address within a network: the bits "
                                "behind the prefix must be 0");
}

} // namespace
} // namespace NetLib::Test
