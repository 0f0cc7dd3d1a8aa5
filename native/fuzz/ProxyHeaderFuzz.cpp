// A stream through ProxyHeaderReader: as a whole, in pieces, and byte by byte it comes to the same, and to what a
// reader of another kind says, which looks at all that there is at once, again and again, and asks the system about
// addresses. The input says how the stream is made (any bytes, or the beginning of a header, or all of one with a right
// checksum), how long the pieces are, and what else is in it.
#include <arpa/inet.h>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "Fuzz.h"
#include "ProxyHeader.h"

namespace NetLib::Fuzz {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view Signature2 = "\r\n\r\n\0\r\nQUIT\n"sv;

// ---- The other reader.

enum class Status : uint8_t { Incomplete, Invalid, Complete };

struct Expected {
    Status Result = Status::Incomplete;
    size_t Size = 0; // Complete: of the header
    std::optional<IpEndpoint> Client;
};

constexpr Expected Incomplete{};
constexpr Expected Invalid{Status::Invalid, 0, std::nullopt};

std::optional<IpAddress> SystemAddress(int family, std::string_view text)
{
    std::array<uint8_t, 16> bytes{};
    if (text.find('\0') != std::string_view::npos || ::inet_pton(family, std::string(text).c_str(), bytes.data()) != 1)
        return std::nullopt;
    return family == AF_INET ? IpAddress::V4(std::span(bytes).first<4>()) : IpAddress::V6(bytes);
}

std::optional<uint16_t> PortOf(const std::string& text)
{
    const auto port = static_cast<uint32_t>(std::strtoul(text.substr(0, 5).c_str(), nullptr, 10));
    return port <= 65535 && std::to_string(port) == text ? std::optional(static_cast<uint16_t>(port)) : std::nullopt;
}

Expected ReadLine(std::string_view stream)
{
    const bool isUnknown = stream.starts_with("PROXY UNKNOWN ");
    size_t end = std::string_view::npos; // of the line, its CR LF not included
    for (size_t i = 0; i < stream.size() && end == std::string_view::npos; ++i) {
        if (stream[i] == '\r' && i + 1 < stream.size() && stream[i + 1] == '\n')
            end = i;
        else if (!isUnknown && (stream[i] == '\n' || (stream[i] == '\r' && i + 1 < stream.size())))
            return Invalid;
    }
    if (end == std::string_view::npos || end + 2 > 107)
        return stream.size() >= 107 ? Invalid : Incomplete;
    std::vector<std::string> words(1);
    for (const char c : stream.substr(0, end)) {
        if (c == ' ')
            words.emplace_back();
        else
            words.back().push_back(c);
    }
    if (words[1] == "UNKNOWN")
        return {Status::Complete, end + 2, std::nullopt};
    if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6"))
        return Invalid;
    const int family = words[1] == "TCP4" ? AF_INET : AF_INET6;
    const auto source = SystemAddress(family, words[2]);
    const auto port = PortOf(words[4]);
    if (!source || !SystemAddress(family, words[3]) || !port || !PortOf(words[5]))
        return Invalid;
    return {Status::Complete, end + 2, IpEndpoint{*source, *port}};
}

uint32_t CrcOf(std::string_view bytes)
{
    uint32_t crc = 0xFFFFFFFF;
    for (const char byte : bytes) {
        for (uint32_t bit = 0; bit < 8; ++bit) {
            const bool isOdd = ((crc ^ (static_cast<uint8_t>(byte) >> bit)) & 1) != 0;
            crc = (crc >> 1) ^ (isOdd ? 0x82F63B78 : 0);
        }
    }
    return crc ^ 0xFFFFFFFF;
}

uint32_t NumberAt(std::string_view stream, size_t position, size_t size)
{
    uint32_t number = 0;
    for (const char byte : stream.substr(position, size))
        number = number * 256 + static_cast<uint8_t>(byte);
    return number;
}

Expected ReadBinary(std::string_view stream)
{
    if (stream.size() < 13)
        return Incomplete;
    const uint32_t command = NumberAt(stream, 12, 1);
    if (command != 0x20 && command != 0x21)
        return Invalid;
    const bool isLocal = command == 0x20;
    if (stream.size() < 14)
        return Incomplete;
    const uint32_t family = NumberAt(stream, 13, 1) / 16;
    const uint32_t protocol = NumberAt(stream, 13, 1) % 16;
    if (!isLocal && (family > 3 || protocol > 2))
        return Invalid;
    if (stream.size() < 16)
        return Incomplete;
    constexpr size_t Sizes[] = {0, 12, 36, 216};
    const size_t size = 16 + NumberAt(stream, 14, 2);
    if (!isLocal && protocol != 0 && size < 16 + Sizes[family])
        return Invalid;
    if (isLocal || protocol != 1 || family == 0 || family == 3)
        return stream.size() < size ? Incomplete : Expected{Status::Complete, size, std::nullopt};

    size_t checksumAt = 0;
    for (size_t at = 16 + Sizes[family]; at < size;) {
        if (stream.size() < std::min(at + 3, size))
            return Incomplete;
        if (at + 3 > size)
            return Invalid;
        const uint32_t type = NumberAt(stream, at, 1);
        const uint32_t length = NumberAt(stream, at + 1, 2);
        if (at + 3 + length > size || (type == 3 && (length != 4 || checksumAt != 0)))
            return Invalid;
        if (type == 3)
            checksumAt = at + 3;
        at += 3 + length;
    }
    if (stream.size() < size)
        return Incomplete;
    if (checksumAt != 0) {
        std::string header(stream.substr(0, size));
        header.replace(checksumAt, 4, 4, '\0');
        if (CrcOf(header) != NumberAt(stream, checksumAt, 4))
            return Invalid;
    }
    const size_t addressSize = family == 1 ? 4 : 16;
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), stream.data() + 16, addressSize);
    const auto port = static_cast<uint16_t>(NumberAt(stream, 16 + 2 * addressSize, 2));
    return {Status::Complete, size,
            IpEndpoint{family == 1 ? IpAddress::V4(std::span(bytes).first<4>()) : IpAddress::V6(bytes), port}};
}

Expected ReadAll(std::string_view stream)
{
    constexpr std::string_view Signature1 = "PROXY "sv;
    if (stream.starts_with(Signature1))
        return ReadLine(stream);
    if (stream.starts_with(Signature2))
        return ReadBinary(stream);
    return Signature1.starts_with(stream) || Signature2.starts_with(stream) ? Incomplete : Invalid;
}

// ---- What is tested.

struct Outcome {
    std::optional<ProxyHeaderError> Error;
    bool IsComplete = false;
    size_t Size = 0;
    std::optional<IpEndpoint> Client;

    [[nodiscard]] bool operator==(const Outcome&) const = default;
};

// In pieces of so many bytes.
Outcome ReadPieces(std::string_view stream, size_t pieceSize)
{
    ProxyHeaderReader reader;
    auto rest = std::as_bytes(std::span(stream));
    while (!rest.empty()) {
        const auto piece = rest.first(std::min(pieceSize, rest.size()));
        const size_t before = reader.Size();
        const auto isComplete = reader.Take(piece);
        if (!isComplete)
            return {isComplete.error(), false, reader.Size(), std::nullopt};
        if (*isComplete)
            return {std::nullopt, true, reader.Size(), reader.Client()};
        Require(reader.Size() == before + piece.size(), "what is incomplete takes everything");
        rest = rest.subspan(piece.size());
    }
    return {std::nullopt, false, reader.Size(), std::nullopt};
}

void Check(std::string_view stream, size_t pieceSize)
{
    const Outcome outcome = ReadPieces(stream, stream.size());
    Require(outcome == ReadPieces(stream, 1), "byte by byte it is the same");
    Require(outcome == ReadPieces(stream, pieceSize), "in pieces it is the same");

    const Expected expected = ReadAll(stream);
    Require(outcome.Error.has_value() == (expected.Result == Status::Invalid), "it is found invalid");
    Require(outcome.IsComplete == (expected.Result == Status::Complete), "it is found complete");
    if (outcome.IsComplete) {
        Require(outcome.Size == expected.Size, "the header ends where it ends");
        Require(outcome.Client == expected.Client, "the client is the one that it names");
    }
    if (outcome.Error) {
        Require(TextOf(*outcome.Error)[0] != '\0', "an error has words");
        // Not before it is certain, and not after.
        Require(ReadAll(stream.substr(0, outcome.Size)).Result == Status::Invalid, "it is invalid by then");
        Require(ReadAll(stream.substr(0, outcome.Size - 1)).Result == Status::Incomplete, "and not before");
    }
}

std::string TextOf(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void Append(std::string& text, uint32_t number, int size)
{
    for (int i = size - 1; i >= 0; --i)
        text.push_back(static_cast<char>(number >> (8 * i)));
}

std::string StreamOf(Input& input)
{
    constexpr size_t All = SIZE_MAX;
    switch (input.Take<uint8_t>() % 4) {
    case 0: return TextOf(input.TakeBytes(All));
    case 1: return "PROXY " + TextOf(input.TakeBytes(All));
    case 2: return std::string(Signature2) + TextOf(input.TakeBytes(All));
    default: break;
    }
    // A header with any addresses and fields, whose length and checksum are right.
    const bool isV4 = input.Take<uint8_t>() % 2 == 0;
    std::string rest = TextOf(input.TakeBytes(isV4 ? 12 : 36));
    rest.resize(isV4 ? 12 : 36);
    const std::string before = TextOf(input.TakeBytes(input.Take<uint8_t>()));
    const std::string after = TextOf(input.TakeBytes(input.Take<uint8_t>()));
    rest += before;
    const size_t checksumAt = 16 + rest.size() + 3;
    Append(rest, 0x03'0004, 3);
    Append(rest, 0, 4);
    rest += after;
    std::string stream(Signature2);
    Append(stream, isV4 ? 0x2111 : 0x2121, 2);
    Append(stream, static_cast<uint32_t>(rest.size()), 2);
    stream += rest;
    std::string checksum;
    Append(checksum, CrcOf(stream), 4);
    stream.replace(checksumAt, 4, checksum);
    return stream + TextOf(input.TakeBytes(All));
}

} // namespace
} // namespace NetLib::Fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    using namespace NetLib;
    Fuzz::Input input(data, size);
    const size_t pieceSize = input.Between(1, 64);
    const std::string stream = Fuzz::StreamOf(input);
    if (!stream.empty())
        Fuzz::Check(stream, pieceSize);
    return 0;
}
