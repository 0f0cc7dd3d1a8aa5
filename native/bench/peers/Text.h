// Texts of the chat protocol: NUL-terminated UTF-8 in fields of fixed size.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace Peers {

// Whether bytes is valid UTF-8: no overlong form, no surrogate, nothing beyond U+10FFFF.
[[nodiscard]] bool IsUtf8(std::span<const std::byte> bytes) noexcept;

// The text of a field, without its terminator; nothing if it has none or is not valid UTF-8.
[[nodiscard]] std::optional<std::span<const std::byte>> FieldText(std::span<const std::byte> field) noexcept;

// Whether a valid text has control characters (U+0000 to U+001F, U+007F to U+009F).
[[nodiscard]] bool HasControl(std::span<const std::byte> text) noexcept;

} // namespace Peers
