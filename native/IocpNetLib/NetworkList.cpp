#include "NetworkList.h"

#include <algorithm>

namespace NetLib {
namespace {

std::string_view Trimmed(std::string_view text) noexcept
{
    const size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos)
        return {};
    return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// "contains "1.2.3.4/33": ..."; an entry that is far too long is cut.
std::unexpected<std::string> BadEntry(std::string_view entry, const char* why)
{
    constexpr size_t Shown = 64; // longer than any good one
    std::string text = "contains \"" + std::string(entry.substr(0, Shown));
    if (entry.size() > Shown)
        text += "...";
    return std::unexpected(text + "\": " + why);
}

std::expected<Network, std::string> ParseNetwork(std::string_view entry)
{
    const size_t slash = entry.find('/');
    const auto address = IpAddress::Parse(entry.substr(0, slash));
    if (!address)
        return BadEntry(entry, "this is neither an IPv4 or IPv6 address nor a network in CIDR form");
    Network network{*address, address->BitCount()};
    if (slash != std::string_view::npos) {
        const auto bits = ParseDecimal(entry.substr(slash + 1), address->BitCount());
        if (!bits)
            return BadEntry(entry, address->IsV4 ? "the length of an IPv4 prefix is 0 to 32"
                                                 : "the length of an IPv6 prefix is 0 to 128");
        network.Bits = *bits;
    }
    if (network.First.Prefix(network.Bits) != network.First)
        return BadEntry(entry, "this is an address within a network: the bits behind the prefix must be 0");
    constexpr uint32_t MappedBits = 96;
    if (network.First.IsMapped() && network.Bits >= MappedBits)
        network = {network.First.Unmapped(), network.Bits - MappedBits};
    return network;
}

} // namespace

std::expected<NetworkList, std::string> NetworkList::Parse(std::string_view text)
{
    NetworkList list;
    if (text.empty())
        return list;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const std::string_view entry = Trimmed(text.substr(begin, end - begin));
        if (list.m_Networks.size() == MaxNetworks)
            return std::unexpected("has more than " + std::to_string(MaxNetworks) + " entries");
        const auto network = ParseNetwork(entry);
        if (!network)
            return std::unexpected(network.error());
        list.m_Networks.push_back(*network);
        begin = end + 1;
    }
    return list;
}

bool NetworkList::Contains(const IpAddress& address) const noexcept
{
    const IpAddress unmapped = address.Unmapped();
    return std::any_of(m_Networks.begin(), m_Networks.end(),
                       [&unmapped](const Network& network) { return network.Contains(unmapped); });
}

} // namespace NetLib
