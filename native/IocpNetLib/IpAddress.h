// An IP address by itself: read, and compared, without the system's sockets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace NetLib {

// Only the first four bytes of an IPv4 address count, the others are 0.
struct IpAddress {
    bool IsV4 = true;
    std::array<uint8_t, 16> Bytes{}; // in network byte order

    [[nodiscard]] static IpAddress V4(std::span<const uint8_t, 4> bytes) noexcept;
    [[nodiscard]] static IpAddress V6(std::span<const uint8_t, 16> bytes) noexcept;

    // Reads an address literal: four decimal numbers without leading zeros, or RFC 4291, section 2.2, also with an IPv4
    // address as its end; no brackets, no scope.
    [[nodiscard]] static std::optional<IpAddress> Parse(std::string_view text) noexcept;

    [[nodiscard]] bool operator==(const IpAddress&) const noexcept = default;

    [[nodiscard]] uint32_t BitCount() const noexcept { return IsV4 ? 32 : 128; }
    // Whether it is an IPv4 address as an IPv6 socket shows it: ::ffff:1.2.3.4 (RFC 4291, section 2.5.5.2).
    [[nodiscard]] bool IsMapped() const noexcept;
    // The IPv4 address if it is mapped, otherwise itself.
    [[nodiscard]] IpAddress Unmapped() const noexcept;
    // Itself with all bits behind the first so many cleared.
    [[nodiscard]] IpAddress Prefix(uint32_t bits) const noexcept;
};

// An address and a port.
struct IpEndpoint {
    IpAddress Address;
    uint16_t Port = 0;

    [[nodiscard]] bool operator==(const IpEndpoint&) const noexcept = default;
};

// A number as decimal digits and nothing else, without leading zeros, up to max; nothing if it is not.
[[nodiscard]] std::optional<uint32_t> ParseDecimal(std::string_view text, uint32_t max) noexcept;

} // namespace NetLib
