// The reader of PROXY headers: what it accepts, what it refuses, and that the pieces do not matter.
#include "ProxyHeader.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ProxyHeaders.h"
#include "io/Socket.h"

namespace NetLib::Test {
namespace {

using namespace std::string_literals;
using Error = ProxyHeaderError;

constexpr const char* NoClient = "none";

// How a stream was read: with an error, not to the end, or as a header with this client; and how many bytes it took.
struct Outcome {
    std::string Text;
    size_t Size = 0;

    [[nodiscard]] bool operator==(const Outcome&) const = default;
};

void PrintTo(const Outcome& outcome, std::ostream* stream) { *stream << outcome.Text << " after " << outcome.Size; }

// In pieces that end at the positions.
Outcome Read(std::span<const std::byte> stream, std::initializer_list<size_t> positions = {})
{
    ProxyHeaderReader reader;
    size_t begin = 0;
    std::vector<size_t> ends(positions);
    ends.push_back(stream.size());
    for (const size_t end : ends) {
        const auto isComplete = reader.Take(stream.subspan(begin, end - begin));
        if (!isComplete)
            return {TextOf(isComplete.error()), reader.Size()};
        if (*isComplete)
            return {reader.Client() ? SocketAddress(*reader.Client()).Text().data() : NoClient, reader.Size()};
        EXPECT_EQ(reader.Size(), end) << "it takes all while there is more to come";
        begin = end;
    }
    return {"incomplete", reader.Size()};
}

// The outcome is the same whatever the pieces are, and nothing behind the header matters.
void ExpectOutcome(const Bytes& stream, const Outcome& expected)
{
    ASSERT_EQ(Read(stream), expected);
    for (size_t i = 0; i <= stream.size(); ++i)
        ASSERT_EQ(Read(stream, {i}), expected) << "in two pieces, at " << i;
    ProxyHeaderReader reader;
    for (size_t i = 0; i < expected.Size; ++i) {
        const auto isComplete = reader.Take({&stream[i], 1});
        const bool isLast = i + 1 == expected.Size;
        if (!isComplete) {
            ASSERT_TRUE(isLast) << i;
            ASSERT_EQ(TextOf(isComplete.error()), expected.Text);
        } else {
            ASSERT_EQ(*isComplete, isLast && expected.Text != "incomplete") << i;
        }
    }
}

void ExpectClient(const Bytes& header, const std::string& client)
{
    ExpectOutcome(header, {client, header.size()});
    ExpectOutcome(Joined({header, BytesOf("PROXY \r\n behind it")}), {client, header.size()});
    for (size_t size = 0; size < header.size(); ++size)
        ASSERT_EQ(Read(std::span(header).first(size)), (Outcome{"incomplete", size}));
}

void ExpectError(const Bytes& stream, Error error, size_t size)
{
    ASSERT_LE(size, stream.size());
    ExpectOutcome(stream, {TextOf(error), size});
}

void ExpectBadLine(const std::string& line, Error error)
{
    SCOPED_TRACE(line);
    ExpectError(BytesOf(line + "\r\n"), error, line.size() + 2);
}

TEST(ProxyHeader, Lines)
{
    const std::pair<std::string, const char*> lines[] = {
        {"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n", "1.2.3.4:9"},
        {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535"},
        {"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0"},
        {"PROXY TCP6 ::1 ::2 80 443\r\n", "[::1]:80"},
        {"PROXY TCP6 2001:DB8:0:0:0:0:0:1 2001:db8::2 65535 0\r\n", "[2001:db8::1]:65535"},
        {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
        {"PROXY TCP6 ::ffff:1.2.3.4 ::1 80 443\r\n", "1.2.3.4:80"},
        {"PROXY UNKNOWN\r\n", NoClient},
        {"PROXY UNKNOWN \r\n", NoClient},
        {"PROXY UNKNOWN whatever \r it\n\n may\t\xFF be\r\n", NoClient},
        {"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
         "65535\r\n",
         NoClient},
    };
    for (const auto& [line, client] : lines) {
        SCOPED_TRACE(line);
        ExpectClient(BytesOf(line), client);
    }
    EXPECT_EQ(std::get<0>(lines[std::size(lines) - 1]).size(), 107u) << "the longest one";
}

TEST(ProxyHeader, NoSignature)
{
    ExpectError(BytesOf("GET / HTTP/1.1\r\n"), Error::NoSignature, 1);
    ExpectError(BytesOf("proxy TCP4"), Error::NoSignature, 1);
    ExpectError(BytesOf("PROXY\tTCP4"), Error::NoSignature, 6);
    ExpectError(BytesOf("PROXY\r\n"), Error::NoSignature, 6);
    ExpectError(BytesOf("\r\n\r\n\r"), Error::NoSignature, 5);
    ExpectError(BytesOf({5, 0, 1, 0, 0}), Error::NoSignature, 1);
    const Bytes good = BinaryHeader(0x21, 0x11, Addresses4());
    for (size_t i = 0; i < 12; ++i) {
        Bytes bad = good;
        bad[i] ^= std::byte{0x80};
        ExpectError(bad, Error::NoSignature, i + 1);
    }
}

TEST(ProxyHeader, LinesThatDoNotEnd)
{
    ExpectError(BytesOf("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\n\r\n"), Error::LineEnd, 32);
    ExpectError(BytesOf("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r \r\n"), Error::LineEnd, 33);
    ExpectError(BytesOf("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\r\n"), Error::LineEnd, 33);
    ExpectError(BytesOf("PROXY \n"), Error::LineEnd, 7);
    ExpectError(BytesOf("PROXY UNKNOWN\n"), Error::LineEnd, 14);
    ExpectError(BytesOf("PROXY UNKNOWN\r "), Error::LineEnd, 15);
    ExpectError(BytesOf("PROXY UNKNOWN" + std::string(93, ' ') + "\r\n"), Error::LineTooLong, 107);
    ExpectError(BytesOf("PROXY " + std::string(200, 'x')), Error::LineTooLong, 107);
    ExpectError(BytesOf("PROXY UNKNOWN " + std::string(200, '\n')), Error::LineTooLong, 107);
}

TEST(ProxyHeader, BadLines)
{
    for (const char* line : {"PROXY ", "PROXY TCP4", "PROXY TCP4 1.2.3.4", "PROXY TCP4 1.2.3.4 5.6.7.8 9",
                             "PROXY TCP4 1.2.3.4 5.6.7.8 9 10 ", "PROXY TCP4 1.2.3.4 5.6.7.8 9 10 11",
                             "PROXY TCP4  1.2.3.4 5.6.7.8 9 10", "PROXY UNKNOWNX", "PROXY unknown"})
        ExpectBadLine(line, Error::Line);
    for (const char* line : {"PROXY TCP5 1.2.3.4 5.6.7.8 9 10", "PROXY tcp4 1.2.3.4 5.6.7.8 9 10",
                             "PROXY UDP4 1.2.3.4 5.6.7.8 9 10", "PROXY  1.2.3.4 5.6.7.8 9 10"})
        ExpectBadLine(line, Error::Protocol);
    for (const char* line :
         {"PROXY TCP4 1.2.3.04 5.6.7.8 9 10", "PROXY TCP4 1.2.3.256 5.6.7.8 9 10", "PROXY TCP4 1.2.3 5.6.7.8 9 10",
          "PROXY TCP4 1.2.3.4 5.6.7 9 10", "PROXY TCP4 ::1 5.6.7.8 9 10", "PROXY TCP4 1.2.3.4 ::1 9 10",
          "PROXY TCP4 ::ffff:1.2.3.4 5.6.7.8 9 10", "PROXY TCP6 1.2.3.4 ::1 9 10", "PROXY TCP6 ::1 1.2.3.4 9 10",
          "PROXY TCP6 ::1 g::1 9 10", "PROXY TCP6 [::1] ::1 9 10", "PROXY TCP6 ::1 ::1%eth0 9 10", "PROXY TCP4   9 10"})
        ExpectBadLine(line, Error::Address);
    for (const char* port : {"65536", "70000", "99999999999", "-1", "+1", "01", "00", "1x", "0x1", "1.0", "a"}) {
        ExpectBadLine("PROXY TCP4 1.2.3.4 5.6.7.8 "s + port + " 10", Error::Port);
        ExpectBadLine("PROXY TCP4 1.2.3.4 5.6.7.8 9 "s + port, Error::Port);
    }
    ExpectBadLine("PROXY TCP4 1.2.3.4 5.6.7.8 9 ", Error::Port);
    ExpectBadLine("PROXY TCP4 1.2.3.4 5.6.7.8  9", Error::Port);
    ExpectBadLine("PROXY TCP4 1.2.3.4\0 5.6.7.8 9 10"s, Error::Address);
}

TEST(ProxyHeader, BinaryHeaders)
{
    ExpectClient(BinaryHeader(0x21, 0x11, Addresses4()), "203.0.113.7:51234");
    ExpectClient(BinaryHeader(0x21, 0x21, Addresses6()), "[2001:db8::7]:51234");
    const Bytes mapped =
        Joined({BytesOf({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 1, 2, 3, 4}), Bytes(16), BytesOf({0, 80, 0, 0})});
    ExpectClient(BinaryHeader(0x21, 0x21, mapped), "1.2.3.4:80");
    // What says nothing of a TCP client.
    ExpectClient(BinaryHeader(0x21, 0x00, {}), NoClient);
    ExpectClient(BinaryHeader(0x21, 0x00, Bytes(40, std::byte{0xFF})), NoClient);
    ExpectClient(BinaryHeader(0x21, 0x01, {}), NoClient);
    ExpectClient(BinaryHeader(0x21, 0x10, {}), NoClient);
    ExpectClient(BinaryHeader(0x21, 0x12, Addresses4()), NoClient);
    ExpectClient(BinaryHeader(0x21, 0x22, Addresses6()), NoClient);
    ExpectClient(BinaryHeader(0x21, 0x31, Bytes(216, std::byte{0xFF})), NoClient);
    ExpectClient(BinaryHeader(0x21, 0x32, Bytes(217)), NoClient);
    // LOCAL is skipped, whatever there is.
    ExpectClient(BinaryHeader(0x20, 0x00, {}), NoClient);
    ExpectClient(BinaryHeader(0x20, 0x11, Addresses4()), NoClient);
    ExpectClient(BinaryHeader(0x20, 0x11, BytesOf({1, 2, 3})), NoClient);
    ExpectClient(BinaryHeader(0x20, 0xFF, Bytes(300)), NoClient);
}

TEST(ProxyHeader, BadBinaryHeaders)
{
    for (const int version : {0x01, 0x11, 0x31, 0xF1})
        ExpectError(BinaryHeader(version, 0x11, Addresses4()), Error::Version, 13);
    for (int command = 2; command < 16; ++command)
        ExpectError(BinaryHeader(0x20 | command, 0x11, Addresses4()), Error::Command, 13);
    for (const int kind : {0x41, 0xF1, 0x13, 0x1F, 0xFF, 0x40, 0x03})
        ExpectError(BinaryHeader(0x21, kind, Addresses4()), Error::Family, 14);
    const std::pair<int, size_t> sizes[] = {{0x11, 12}, {0x12, 12}, {0x21, 36}, {0x22, 36}, {0x31, 216}, {0x32, 216}};
    for (const auto& [kind, size] : sizes) {
        for (const size_t shorter : {size_t{0}, size_t{1}, size - 1})
            ExpectError(BinaryHeader(0x21, kind, Bytes(shorter)), Error::Length, 16);
    }
}

TEST(ProxyHeader, FieldsAreSkipped)
{
    const Bytes fields = Joined({Tlv(0x04, {}), Tlv(0x01, BytesOf("h2")), Tlv(0xEA, Bytes(300, std::byte{0x0D}))});
    ExpectClient(BinaryHeader(0x21, 0x11, Joined({Addresses4(), fields})), "203.0.113.7:51234");
    ExpectClient(BinaryHeader(0x21, 0x21, Joined({Addresses6(), fields})), "[2001:db8::7]:51234");
}

TEST(ProxyHeader, TheLongestOne)
{
    const Bytes header = BinaryHeader(0x21, 0x11, Joined({Addresses4(), Tlv(0x04, Bytes(65535 - 12 - 3))}));
    ASSERT_EQ(header.size(), 16u + 65535);
    EXPECT_EQ(Read(header), (Outcome{"203.0.113.7:51234", header.size()}));
    EXPECT_EQ(Read(header, {20, 1000, 65550}), (Outcome{"203.0.113.7:51234", header.size()}));
    EXPECT_EQ(Read(std::span(header).first(header.size() - 1)), (Outcome{"incomplete", header.size() - 1}));
}

TEST(ProxyHeader, FieldsThatDoNotFit)
{
    const auto header = [](const Bytes& fields) { return BinaryHeader(0x21, 0x11, Joined({Addresses4(), fields})); };
    ExpectError(header(BytesOf({4})), Error::Tlv, 29);
    ExpectError(header(BytesOf({4, 0})), Error::Tlv, 30);
    ExpectError(header(BytesOf({4, 0, 1})), Error::Tlv, 31);
    ExpectError(header(BytesOf({4, 1, 0, 0, 0})), Error::Tlv, 31);
    ExpectError(header(Joined({Tlv(4, Bytes(2)), BytesOf({4, 0, 2, 9})})), Error::Tlv, 36);
}

// The checksum is that of RFC 4960: its bytes were computed by another program.
TEST(ProxyHeader, Checksums)
{
    const auto header = [](const Bytes& checksum) {
        return BinaryHeader(0x21, 0x11,
                            Joined({Addresses4(), Tlv(0x02, BytesOf("example")), checksum, Tlv(0x04, Bytes(2))}));
    };
    const Bytes right = Tlv(0x03, BytesOf({0x47, 0x68, 0xB9, 0xC9}));
    ExpectClient(header(right), "203.0.113.7:51234");
    const Bytes good = header(right);
    for (size_t i = 16; i < good.size(); ++i) {
        if (i == 38) // another type: then there is no checksum
            continue;
        Bytes bad = good;
        bad[i] ^= std::byte{1};
        EXPECT_NE(Read(bad).Text, "203.0.113.7:51234") << i;
        if (i < 28 || (i >= 31 && i < 38) || (i >= 41 && i < 45) || i >= 48)
            ExpectError(bad, Error::Checksum, bad.size());
    }
    ExpectError(header(Tlv(0x03, BytesOf({0, 0, 0, 0}))), Error::Checksum, good.size());
    ExpectError(header(Tlv(0x03, BytesOf({0, 0, 0}))), Error::Tlv, 41);
    ExpectError(header(Tlv(0x03, BytesOf({0, 0, 0, 0, 0}))), Error::Tlv, 41);
    ExpectError(header(Joined({right, right})), Error::Tlv, 48);
}

TEST(ProxyHeader, SignatureAlone)
{
    using Match = ProxySignature::Match;
    const std::pair<std::string, Match> streams[] = {
        {"", Match::Open},
        {"P", Match::Open},
        {"PROXY", Match::Open},
        {"PROXY ", Match::V1},
        {"PROXY TCP4", Match::V1},
        {"PROXYX", Match::None},
        {"p", Match::None},
        {"\r", Match::Open},
        {"\r\n\r\n\0\r\nQUIT"s, Match::Open},
        {"\r\n\r\n\0\r\nQUIT\n"s, Match::V2},
        {"\r\n\r\n\0\r\nQUIT\r"s, Match::None},
        {"\rPROXY ", Match::None},
        {"\r\nPROXY ", Match::None},
    };
    for (const auto& [text, expected] : streams) {
        const Bytes stream = BytesOf(text);
        EXPECT_EQ(ProxySignature().Take(stream), expected) << text;
        ProxySignature signature;
        auto match = Match::Open;
        size_t taken = 0;
        for (; taken < stream.size() && match == Match::Open; ++taken)
            match = signature.Take({&stream[taken], 1});
        EXPECT_EQ(match, expected) << text;
        EXPECT_EQ(signature.Size(), taken - (match == Match::None ? 1 : 0)) << text;
    }
}

} // namespace
} // namespace NetLib::Test
