// PROXY headers as proxies send them, good and bad ones.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "TestClient.h"

namespace NetLib::Test {

// The bytes of a text, and of numbers.
[[nodiscard]] Bytes BytesOf(std::string_view text);
[[nodiscard]] Bytes BytesOf(std::initializer_list<int> numbers);
// One behind the other.
[[nodiscard]] Bytes Joined(std::initializer_list<Bytes> parts);

// A header of version 2: its 13th and 14th byte, and what follows its length.
[[nodiscard]] Bytes BinaryHeader(int versionAndCommand, int familyAndProtocol, const Bytes& rest);
// A field behind the addresses.
[[nodiscard]] Bytes Tlv(int type, const Bytes& value);
// Source 203.0.113.7:51234 and [2001:db8::7]:51234, each with a destination.
[[nodiscard]] Bytes Addresses4();
[[nodiscard]] Bytes Addresses6();

} // namespace NetLib::Test
