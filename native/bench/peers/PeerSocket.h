// Descriptors of a peer: its listener, its signals, and how many there may be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace Peers {

// Owns a descriptor.
class Descriptor {
public:
    Descriptor() noexcept = default;
    explicit Descriptor(int descriptor) noexcept : m_Descriptor(descriptor) {}
    Descriptor(Descriptor&& other) noexcept : m_Descriptor(std::exchange(other.m_Descriptor, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        std::swap(m_Descriptor, other.m_Descriptor);
        return *this;
    }
    ~Descriptor();

    [[nodiscard]] int Get() const noexcept { return m_Descriptor; }

private:
    int m_Descriptor = -1;
};

// A non-blocking listener on all IPv4 addresses whose connections do not delay small sends (TCP_NODELAY is inherited).
// Says "listening on port N" on standard output. Throws std::system_error.
[[nodiscard]] Descriptor Listen(std::uint16_t port);

// A descriptor that becomes readable when SIGTERM or SIGINT came, which otherwise do nothing from now on. Throws
// std::system_error.
[[nodiscard]] Descriptor StopSignals();

// Raises the number of descriptors as far as is allowed, and tells it: one more than the highest descriptor.
[[nodiscard]] std::size_t RaiseDescriptorLimit();

} // namespace Peers
