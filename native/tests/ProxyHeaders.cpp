#include "ProxyHeaders.h"

namespace NetLib::Test {

using namespace std::string_view_literals;

Bytes BytesOf(std::string_view text)
{
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

Bytes BytesOf(std::initializer_list<int> numbers)
{
    Bytes bytes;
    for (const int number : numbers)
        bytes.push_back(static_cast<std::byte>(number));
    return bytes;
}

Bytes Joined(std::initializer_list<Bytes> parts)
{
    Bytes all;
    for (const Bytes& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

Bytes BinaryHeader(int versionAndCommand, int familyAndProtocol, const Bytes& rest)
{
    const auto length = static_cast<int>(rest.size());
    return Joined({BytesOf("\r\n\r\n\0\r\nQUIT\n"sv),
                   BytesOf({versionAndCommand, familyAndProtocol, length >> 8, length & 0xFF}), rest});
}

Bytes Tlv(int type, const Bytes& value)
{
    const auto length = static_cast<int>(value.size());
    return Joined({BytesOf({type, length >> 8, length & 0xFF}), value});
}

Bytes Addresses4() { return BytesOf({203, 0, 113, 7, 192, 0, 2, 1, 51234 >> 8, 51234 & 0xFF, 443 >> 8, 443 & 0xFF}); }

Bytes Addresses6()
{
    return BytesOf({0x20, 0x01, 0x0D,       0xB8,         0,        0,         0, 0, 0, 0, 0, 0, 0, 0, 0,
                    7,    0x20, 0x01,       0x0D,         0xB8,     0,         0, 0, 0, 0, 0, 0, 0, 0, 0,
                    0,    1,    51234 >> 8, 51234 & 0xFF, 443 >> 8, 443 & 0xFF});
}

} // namespace NetLib::Test
