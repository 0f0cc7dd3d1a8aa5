#include "Text.h"

#include <cstdint>
#include <cstring>

namespace Peers {

namespace {

// The length of the character that begins at bytes[0], which is no ASCII character; 0 if it is not valid.
std::size_t CharacterLength(std::span<const std::byte> bytes) noexcept
{
    const auto lead = std::to_integer<unsigned>(bytes[0]);
    const std::size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || length > bytes.size()) {
        return 0;
    }
    // The second byte of some leads has a narrower range: that is where overlong forms and surrogates begin.
    const auto second = std::to_integer<unsigned>(bytes[1]);
    const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (second < low || second > high) {
        return 0;
    }
    for (std::size_t i = 2; i < length; ++i) {
        if ((bytes[i] & std::byte{0xC0}) != std::byte{0x80}) {
            return 0;
        }
    }
    return length;
}

} // namespace

bool IsUtf8(std::span<const std::byte> bytes) noexcept
{
    while (!bytes.empty()) {
        // Eight ASCII characters at once.
        std::uint64_t word = 0;
        if (bytes.size() >= sizeof word) {
            std::memcpy(&word, bytes.data(), sizeof word);
            if ((word & 0x8080808080808080u) == 0) {
                bytes = bytes.subspan(sizeof word);
                continue;
            }
        }
        if (std::to_integer<unsigned>(bytes[0]) < 0x80) {
            bytes = bytes.subspan(1);
            continue;
        }
        const std::size_t length = CharacterLength(bytes);
        if (length == 0) {
            return false;
        }
        bytes = bytes.subspan(length);
    }
    return true;
}

std::optional<std::span<const std::byte>> FieldText(std::span<const std::byte> field) noexcept
{
    const void* const end = std::memchr(field.data(), 0, field.size());
    if (end == nullptr) {
        return std::nullopt;
    }
    const std::span text = field.first(static_cast<std::size_t>(static_cast<const std::byte*>(end) - field.data()));
    if (!IsUtf8(text)) {
        return std::nullopt;
    }
    return text;
}

bool HasControl(std::span<const std::byte> text) noexcept
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = std::to_integer<unsigned>(text[i]);
        const bool isC1 = byte == 0xC2 && i + 1 < text.size() && std::to_integer<unsigned>(text[i + 1]) < 0xA0;
        if (byte < 0x20 || byte == 0x7F || isC1) {
            return true;
        }
    }
    return false;
}

} // namespace Peers
