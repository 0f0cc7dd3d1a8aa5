// Networks that an address is looked for in: the sources of PROXY headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "IpAddress.h"

namespace NetLib {

// The addresses that begin with the same bits.
struct Network {
    IpAddress First; // its other bits are 0; never mapped
    uint32_t Bits = 0;

    [[nodiscard]] bool Contains(const IpAddress& address) const noexcept
    {
        return address.IsV4 == First.IsV4 && address.Prefix(Bits) == First;
    }
};

class NetworkList {
public:
    // How many there may be. They are looked through one by one, once a connection.
    static constexpr size_t MaxNetworks = 64;

    // Addresses and networks in CIDR form (RFC 4632, section 3.1, and RFC 4291, section 2.3), IPv4 and IPv6, separated
    // by commas, with spaces around them; an empty text is an empty list. Networks of mapped addresses are IPv4's. The
    // error is a sentence without its subject: "has ...", "contains ...".
    [[nodiscard]] static std::expected<NetworkList, std::string> Parse(std::string_view text);

    [[nodiscard]] bool IsEmpty() const noexcept { return m_Networks.empty(); }
    [[nodiscard]] size_t Size() const noexcept { return m_Networks.size(); }
    // Whether one of them contains the address. A mapped one is looked for as the IPv4 address that it is.
    [[nodiscard]] bool Contains(const IpAddress& address) const noexcept;

private:
    std::vector<Network> m_Networks;
};

} // namespace NetLib
