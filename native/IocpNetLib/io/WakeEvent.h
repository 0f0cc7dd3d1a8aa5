// What wakes a Linux backend's thread from another one.
#pragma once

#include <expected>
#include <string>

#include "io/Socket.h"

namespace NetLib {

// An eventfd.
class WakeEvent {
public:
    // flags are those of eventfd. The error is a sentence.
    [[nodiscard]] static std::expected<WakeEvent, std::string> Create(int flags);

    [[nodiscard]] int Descriptor() const noexcept { return m_Event.Get(); }
    // Makes it readable. Any thread.
    void Set() const noexcept;

private:
    UniqueSocket m_Event; // no socket, but it closes the same way
};

} // namespace NetLib
