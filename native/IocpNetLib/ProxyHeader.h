// The header that a proxy sends ahead of a client's bytes to tell the client's address: HAProxy's PROXY protocol,
// versions 1 and 2 (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt; sections named below are its).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "IpAddress.h"

namespace NetLib {

// Finds out, byte by byte, whether a stream begins with the header's signature.
class ProxySignature {
public:
    enum class Match : uint8_t {
        Open, // it may still come to one
        V1,   // "PROXY ", a line of text
        V2,   // twelve bytes, a binary header
        None,
    };

    // Looks at the next bytes of the stream, up to where it is decided. Not to be called after that.
    [[nodiscard]] Match Take(std::span<const std::byte> bytes) noexcept;
    // How many bytes of a signature there were.
    [[nodiscard]] size_t Size() const noexcept { return m_Size; }

private:
    uint8_t m_Size = 0;
    bool m_IsV2 = false; // which one it is: the first byte tells
};

enum class ProxyHeaderError : uint8_t {
    NoSignature,
    LineTooLong,
    LineEnd,
    Line,
    Protocol,
    Address,
    Port,
    Version,
    Command,
    Family,
    Length,
    Tlv,
    Checksum,
};

// What is wrong, in words, as the end of a sentence. Static memory.
[[nodiscard]] const char* TextOf(ProxyHeaderError error) noexcept;

// Reads one header, in however many pieces it comes: the outcome is always the same. It needs no more memory than
// itself, however long the header is.
class ProxyHeaderReader {
public:
    // Takes the next bytes of the stream, as far as they belong to the header, and tells whether it is complete. An
    // error is told with the first byte that makes it certain; nothing can be taken after that, nor behind the end.
    [[nodiscard]] std::expected<bool, ProxyHeaderError> Take(std::span<const std::byte> bytes) noexcept;

    // How many bytes were taken in all, the one that was wrong included.
    [[nodiscard]] size_t Size() const noexcept { return m_Size; }
    // When it is complete: whose connection this is. Nothing if the header does not tell (UNKNOWN, LOCAL, or anything
    // but TCP over IPv4 or IPv6): then it is the proxy's own, or to be taken for it.
    [[nodiscard]] const std::optional<IpEndpoint>& Client() const noexcept { return m_Client; }

private:
    using Step = std::expected<void, ProxyHeaderError>;

    [[nodiscard]] Step TakeSignature(std::byte byte) noexcept;
    [[nodiscard]] Step TakeText(std::byte byte) noexcept;
    [[nodiscard]] Step TakeBinary(std::byte byte) noexcept;
    [[nodiscard]] Step TakeFixed() noexcept;
    [[nodiscard]] Step TakeTlv(uint8_t byte) noexcept;
    [[nodiscard]] Step EndBinary() noexcept;
    [[nodiscard]] uint8_t Kept(size_t position) const noexcept { return std::to_integer<uint8_t>(m_Kept[position]); }

    // With its end a line has at most as many bytes (section 2.1); of a binary header less has to be kept.
    static constexpr size_t MaxLine = 107;

    std::array<std::byte, MaxLine> m_Kept{}; // the header's first bytes
    uint32_t m_Size = 0;
    bool m_IsComplete = false;
    ProxySignature m_Signature;
    ProxySignature::Match m_Version = ProxySignature::Match::Open;
    std::optional<IpEndpoint> m_Client;

    // ---- Version 2, from its 16th byte on.
    uint32_t m_End = 0;      // of the header
    uint32_t m_TlvBegin = 0; // of what follows the addresses; m_End if nobody looks at that
    // The type-length-value that is being taken: how much of its 3 bytes, its type, and how much of its value is left.
    uint8_t m_TlvHead = 0;
    uint8_t m_TlvType = 0;
    uint32_t m_TlvLeft = 0;
    bool m_HasChecksum = false;
    uint32_t m_Checksum = 0; // as it was sent
    uint32_t m_Crc = 0;      // of what was taken
};

} // namespace NetLib
