#include "IpAddress.h"

#include <algorithm>

namespace NetLib {
namespace {

// What an IPv4 address begins with inside an IPv6 one.
constexpr std::array<uint8_t, 12> MappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr size_t GroupCount = 8; // of an IPv6 address, of 16 bits each

// Takes what comes before the first separator, and the separator; all of it if there is none.
std::string_view TakeUntil(std::string_view& text, char separator) noexcept
{
    const size_t end = text.find(separator);
    const std::string_view part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    return part;
}

std::optional<std::array<uint8_t, 4>> ParseV4(std::string_view text) noexcept
{
    if (std::count(text.begin(), text.end(), '.') != 3)
        return std::nullopt;
    std::array<uint8_t, 4> bytes{};
    for (uint8_t& byte : bytes) {
        const auto number = ParseDecimal(TakeUntil(text, '.'), 255);
        if (!number)
            return std::nullopt;
        byte = static_cast<uint8_t>(*number);
    }
    return bytes;
}

std::optional<uint32_t> ParseHexadecimal(char digit) noexcept
{
    if (digit >= '0' && digit <= '9')
        return static_cast<uint32_t>(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return static_cast<uint32_t>(digit - 'a' + 10);
    if (digit >= 'A' && digit <= 'F')
        return static_cast<uint32_t>(digit - 'A' + 10);
    return std::nullopt;
}

// One group of an IPv6 address.
std::optional<uint16_t> ParseGroup(std::string_view text) noexcept
{
    if (text.empty() || text.size() > 4)
        return std::nullopt;
    uint32_t group = 0;
    for (const char c : text) {
        const auto digit = ParseHexadecimal(c);
        if (!digit)
            return std::nullopt;
        group = group << 4 | *digit;
    }
    return static_cast<uint16_t>(group);
}

// Groups with a colon between them.
struct Groups {
    std::array<uint16_t, GroupCount> Values{};
    size_t Count = 0;

    [[nodiscard]] bool Add(uint16_t value) noexcept
    {
        if (Count == Values.size())
            return false;
        Values[Count++] = value;
        return true;
    }
};

// None from an empty text. mayEndAsV4: the last one may be an IPv4 address, which is two groups.
std::optional<Groups> ParseGroups(std::string_view text, bool mayEndAsV4) noexcept
{
    Groups groups;
    while (!text.empty()) {
        const bool isLast = text.find(':') == std::string_view::npos;
        const std::string_view part = TakeUntil(text, ':');
        if (!isLast && text.empty())
            return std::nullopt; // it ends with a colon
        if (isLast && mayEndAsV4 && part.find('.') != std::string_view::npos) {
            const auto v4 = ParseV4(part);
            if (!v4 || !groups.Add(static_cast<uint16_t>((*v4)[0] << 8 | (*v4)[1])) ||
                !groups.Add(static_cast<uint16_t>((*v4)[2] << 8 | (*v4)[3])))
                return std::nullopt;
            continue;
        }
        const auto group = ParseGroup(part);
        if (!group || !groups.Add(*group))
            return std::nullopt;
    }
    return groups;
}

std::optional<std::array<uint8_t, 16>> ParseV6(std::string_view text) noexcept
{
    constexpr std::string_view Gap = "::"; // stands for groups that are 0, at least one
    const size_t gap = text.find(Gap);
    const bool hasGap = gap != std::string_view::npos;
    const auto head = ParseGroups(text.substr(0, gap), !hasGap);
    const auto tail = ParseGroups(hasGap ? text.substr(gap + Gap.size()) : std::string_view{}, true);
    if (!head || !tail)
        return std::nullopt;
    const size_t count = head->Count + tail->Count;
    if (hasGap ? count >= GroupCount : count != GroupCount)
        return std::nullopt;

    std::array<uint16_t, GroupCount> groups{};
    std::copy_n(head->Values.begin(), head->Count, groups.begin());
    std::copy_n(tail->Values.begin(), tail->Count, groups.end() - static_cast<ptrdiff_t>(tail->Count));
    std::array<uint8_t, 16> bytes{};
    for (size_t i = 0; i < groups.size(); ++i) {
        bytes[2 * i] = static_cast<uint8_t>(groups[i] >> 8);
        bytes[2 * i + 1] = static_cast<uint8_t>(groups[i]);
    }
    return bytes;
}

} // namespace

std::optional<uint32_t> ParseDecimal(std::string_view text, uint32_t max) noexcept
{
    constexpr size_t MostDigits = 9; // no sum of so many overflows
    if (text.empty() || text.size() > MostDigits || (text.size() > 1 && text.front() == '0'))
        return std::nullopt;
    uint32_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        number = number * 10 + static_cast<uint32_t>(c - '0');
    }
    return number <= max ? std::optional(number) : std::nullopt;
}

IpAddress IpAddress::V4(std::span<const uint8_t, 4> bytes) noexcept
{
    IpAddress address;
    std::copy(bytes.begin(), bytes.end(), address.Bytes.begin());
    return address;
}

IpAddress IpAddress::V6(std::span<const uint8_t, 16> bytes) noexcept
{
    IpAddress address;
    address.IsV4 = false;
    std::copy(bytes.begin(), bytes.end(), address.Bytes.begin());
    return address;
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) noexcept
{
    if (const auto v4 = ParseV4(text))
        return V4(*v4);
    if (const auto v6 = ParseV6(text))
        return V6(*v6);
    return std::nullopt;
}

bool IpAddress::IsMapped() const noexcept
{
    return !IsV4 && std::equal(MappedPrefix.begin(), MappedPrefix.end(), Bytes.begin());
}

IpAddress IpAddress::Unmapped() const noexcept
{
    return IsMapped() ? V4(std::span(Bytes).subspan<MappedPrefix.size(), 4>()) : *this;
}

IpAddress IpAddress::Prefix(uint32_t bits) const noexcept
{
    IpAddress prefix = *this;
    for (size_t i = 0; i < prefix.Bytes.size(); ++i) {
        const uint32_t kept = std::min(bits - std::min(bits, static_cast<uint32_t>(8 * i)), 8u);
        prefix.Bytes[i] &= static_cast<uint8_t>(0xFF00u >> kept);
    }
    return prefix;
}

} // namespace NetLib
