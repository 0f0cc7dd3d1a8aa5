#include "ProxyHeader.h"

#include <algorithm>
#include <string_view>

namespace NetLib {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view SignatureV1 = "PROXY "sv;
constexpr std::string_view SignatureV2 = "\r\n\r\n\0\r\nQUIT\n"sv;
static_assert(SignatureV2.size() == 12);

// Of a line: what follows its signature where nothing else has a meaning.
constexpr std::string_view Unknown = "UNKNOWN"sv;

// ---- Version 2 (section 2.2).
constexpr size_t FixedSize = 16; // signature, version and command, family and protocol, length
constexpr uint8_t Version = 2;
constexpr uint8_t CommandLocal = 0;
constexpr uint8_t CommandProxy = 1;
constexpr uint8_t FamilyInet = 1;
constexpr uint8_t FamilyInet6 = 2;
constexpr uint8_t FamilyUnix = 3;
constexpr uint8_t ProtocolUnspecified = 0;
constexpr uint8_t ProtocolStream = 1;
constexpr uint8_t ProtocolDatagram = 2;
constexpr uint8_t TlvHeadSize = 3;      // type and length (section 2.2)
constexpr uint8_t TlvChecksum = 0x03;   // PP2_TYPE_CRC32C (section 2.2.3)
constexpr uint32_t TlvChecksumSize = 4; // it is a number of 32 bits

// Bytes that source and destination take.
constexpr uint32_t AddressSizeOf(uint8_t family, uint8_t protocol) noexcept
{
    if (protocol == ProtocolUnspecified)
        return 0;
    switch (family) {
    case FamilyInet: return 2 * 4 + 2 * 2;
    case FamilyInet6: return 2 * 16 + 2 * 2;
    case FamilyUnix: return 2 * 108;
    default: return 0;
    }
}

// CRC32c (RFC 4960, appendix B), of one byte more, without the inversions at begin and end. A bit at a time: a header
// is short, and there is one a connection.
constexpr uint32_t CrcOf(uint32_t crc, uint8_t byte) noexcept
{
    constexpr uint32_t Polynomial = 0x82F63B78; // 0x1EDC6F41 with its bits reversed
    crc ^= byte;
    for (int i = 0; i < 8; ++i)
        crc = crc >> 1 ^ ((crc & 1) != 0 ? Polynomial : 0);
    return crc;
}

constexpr uint32_t CrcOfSignature = [] {
    uint32_t crc = ~0u;
    for (const char c : SignatureV2)
        crc = CrcOf(crc, static_cast<uint8_t>(c));
    return crc;
}();

std::string_view AsText(std::span<const std::byte> bytes) noexcept
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The word in front of the next space, and takes both; without a space all that is left.
std::string_view TakeWord(std::string_view& line) noexcept
{
    const size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

// A line without its end (section 2.1): the client, if it names one.
std::expected<std::optional<IpEndpoint>, ProxyHeaderError> ParseLine(std::string_view line) noexcept
{
    line.remove_prefix(SignatureV1.size());
    if (line == Unknown || (line.starts_with(Unknown) && line[Unknown.size()] == ' '))
        return std::nullopt; // whatever follows
    constexpr ptrdiff_t Spaces = 4;
    if (std::count(line.begin(), line.end(), ' ') != Spaces)
        return std::unexpected(ProxyHeaderError::Line);
    const std::string_view protocol = TakeWord(line);
    if (protocol != "TCP4"sv && protocol != "TCP6"sv)
        return std::unexpected(ProxyHeaderError::Protocol);
    const bool isV4 = protocol == "TCP4"sv;
    const auto source = IpAddress::Parse(TakeWord(line));
    const auto destination = IpAddress::Parse(TakeWord(line));
    if (!source || !destination || source->IsV4 != isV4 || destination->IsV4 != isV4)
        return std::unexpected(ProxyHeaderError::Address);
    const auto sourcePort = ParseDecimal(TakeWord(line), 65535);
    const auto destinationPort = ParseDecimal(line, 65535);
    if (!sourcePort || !destinationPort)
        return std::unexpected(ProxyHeaderError::Port);
    return IpEndpoint{*source, static_cast<uint16_t>(*sourcePort)};
}

} // namespace

ProxySignature::Match ProxySignature::Take(std::span<const std::byte> bytes) noexcept
{
    for (const std::byte byte : bytes) {
        const auto c = static_cast<char>(byte);
        if (m_Size == 0)
            m_IsV2 = c == SignatureV2.front();
        const std::string_view signature = m_IsV2 ? SignatureV2 : SignatureV1;
        if (c != signature[m_Size])
            return Match::None;
        if (++m_Size == signature.size())
            return m_IsV2 ? Match::V2 : Match::V1;
    }
    return Match::Open;
}

const char* TextOf(ProxyHeaderError error) noexcept
{
    switch (error) {
    case ProxyHeaderError::NoSignature: return "it does not begin with one";
    case ProxyHeaderError::LineTooLong: return "a line of more than 107 bytes";
    case ProxyHeaderError::LineEnd: return "a line that does not end with CR LF";
    case ProxyHeaderError::Line: return "not a protocol, two addresses and two ports";
    case ProxyHeaderError::Protocol: return "a protocol other than TCP4, TCP6 and UNKNOWN";
    case ProxyHeaderError::Address: return "not an address of the protocol's family";
    case ProxyHeaderError::Port: return "not a port from 0 to 65535";
    case ProxyHeaderError::Version: return "a version other than 1 and 2";
    case ProxyHeaderError::Command: return "a command other than LOCAL and PROXY";
    case ProxyHeaderError::Family: return "no such address family or protocol";
    case ProxyHeaderError::Length: return "shorter than its addresses";
    case ProxyHeaderError::Tlv: return "a field that does not fit";
    case ProxyHeaderError::Checksum: return "wrong checksum";
    }
    return "unknown";
}

std::expected<bool, ProxyHeaderError> ProxyHeaderReader::Take(std::span<const std::byte> bytes) noexcept
{
    using Match = ProxySignature::Match;
    for (const std::byte byte : bytes) {
        if (m_IsComplete)
            break;
        if (m_Size < m_Kept.size())
            m_Kept[m_Size] = byte;
        ++m_Size;
        const Step step = m_Version == Match::Open ? TakeSignature(byte)
                          : m_Version == Match::V1 ? TakeText(byte)
                                                   : TakeBinary(byte);
        if (!step)
            return std::unexpected(step.error());
    }
    return m_IsComplete;
}

ProxyHeaderReader::Step ProxyHeaderReader::TakeSignature(std::byte byte) noexcept
{
    m_Version = m_Signature.Take({&byte, 1});
    if (m_Version == ProxySignature::Match::None)
        return std::unexpected(ProxyHeaderError::NoSignature);
    m_Crc = CrcOfSignature; // for version 2
    return {};
}

ProxyHeaderReader::Step ProxyHeaderReader::TakeText(std::byte byte) noexcept
{
    const std::string_view line = AsText(std::span(m_Kept).first(m_Size));
    if (line.ends_with("\r\n"sv)) {
        const auto client = ParseLine(line.substr(0, line.size() - 2));
        if (!client)
            return std::unexpected(client.error());
        m_Client = *client;
        m_IsComplete = true;
        return {};
    }
    // A proxy that ends its line otherwise would wait for ever; only what UNKNOWN is followed by may be anything.
    const std::string_view rest = line.substr(SignatureV1.size());
    const bool mayBeAnything = rest.starts_with(Unknown) && rest.size() > Unknown.size() && rest[Unknown.size()] == ' ';
    if (!mayBeAnything && (byte == std::byte{'\n'} || (line[line.size() - 2] == '\r')))
        return std::unexpected(ProxyHeaderError::LineEnd);
    if (m_Size == MaxLine)
        return std::unexpected(ProxyHeaderError::LineTooLong);
    return {};
}

ProxyHeaderReader::Step ProxyHeaderReader::TakeBinary(std::byte byte) noexcept
{
    const auto number = std::to_integer<uint8_t>(byte);
    if (m_Size <= FixedSize) {
        m_Crc = CrcOf(m_Crc, number);
        if (const Step step = TakeFixed(); !step)
            return step;
    } else if (m_Size <= m_TlvBegin) {
        m_Crc = CrcOf(m_Crc, number);
    } else if (const Step step = TakeTlv(number); !step) {
        return step;
    }
    return m_Size == m_End ? EndBinary() : Step{};
}

// The bytes between signature and addresses: each is looked at as it comes.
ProxyHeaderReader::Step ProxyHeaderReader::TakeFixed() noexcept
{
    const uint8_t command = Kept(12) & 0x0F;
    const uint8_t family = Kept(13) >> 4;
    const uint8_t protocol = Kept(13) & 0x0F;
    switch (m_Size) {
    case 13:
        if (Kept(12) >> 4 != Version)
            return std::unexpected(ProxyHeaderError::Version);
        if (command != CommandLocal && command != CommandProxy)
            return std::unexpected(ProxyHeaderError::Command);
        break;
    case 14:
        // LOCAL is taken for what it is, whatever follows.
        if (command == CommandProxy && (family > FamilyUnix || protocol > ProtocolDatagram))
            return std::unexpected(ProxyHeaderError::Family);
        break;
    case FixedSize: {
        const uint32_t length = uint32_t{Kept(14)} << 8 | Kept(15);
        m_End = m_TlvBegin = FixedSize + length;
        if (command == CommandLocal)
            break;
        const uint32_t addressSize = AddressSizeOf(family, protocol);
        if (length < addressSize)
            return std::unexpected(ProxyHeaderError::Length);
        // Where the addresses are not used, nobody knows what follows them.
        if ((family == FamilyInet || family == FamilyInet6) && protocol == ProtocolStream)
            m_TlvBegin = FixedSize + addressSize;
        break;
    }
    default: break;
    }
    return {};
}

// What follows the addresses is skipped, but for the checksum.
ProxyHeaderReader::Step ProxyHeaderReader::TakeTlv(uint8_t byte) noexcept
{
    if (m_TlvHead < TlvHeadSize) {
        m_Crc = CrcOf(m_Crc, byte);
        if (m_TlvHead == 0)
            m_TlvType = byte;
        else
            m_TlvLeft = m_TlvLeft << 8 | byte;
        if (++m_TlvHead < TlvHeadSize)
            return {};
        if (m_TlvLeft > m_End - m_Size)
            return std::unexpected(ProxyHeaderError::Tlv);
        if (m_TlvType == TlvChecksum) {
            if (m_TlvLeft != TlvChecksumSize || m_HasChecksum)
                return std::unexpected(ProxyHeaderError::Tlv);
            m_HasChecksum = true;
        }
    } else {
        --m_TlvLeft;
        if (m_TlvType == TlvChecksum)
            m_Checksum = m_Checksum << 8 | byte;
        m_Crc = CrcOf(m_Crc, m_TlvType == TlvChecksum ? uint8_t{0} : byte); // as it was when it was computed
    }
    if (m_TlvLeft == 0)
        m_TlvHead = 0; // the next one
    return {};
}

ProxyHeaderReader::Step ProxyHeaderReader::EndBinary() noexcept
{
    if (m_TlvHead != 0)
        return std::unexpected(ProxyHeaderError::Tlv);
    if (m_HasChecksum && m_Checksum != ~m_Crc)
        return std::unexpected(ProxyHeaderError::Checksum);
    m_IsComplete = true;
    const uint8_t kind = Kept(13);
    if ((Kept(12) & 0x0F) == CommandLocal || (kind & 0x0F) != ProtocolStream)
        return {};
    const auto client = [this]<size_t Size>(IpAddress (*make)(std::span<const uint8_t, Size>) noexcept) {
        std::array<uint8_t, Size> address;
        for (size_t i = 0; i < Size; ++i)
            address[i] = Kept(FixedSize + i);
        constexpr size_t PortAt = FixedSize + 2 * Size; // behind both addresses
        return IpEndpoint{make(address), static_cast<uint16_t>(Kept(PortAt) << 8 | Kept(PortAt + 1))};
    };
    if (kind >> 4 == FamilyInet)
        m_Client = client(&IpAddress::V4);
    else if (kind >> 4 == FamilyInet6)
        m_Client = client(&IpAddress::V6);
    return {};
}

} // namespace NetLib
