// The other side of a connection, and the packets that tests send.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "io/Socket.h"

namespace NetLib::Test {

// How long a test waits for what must happen before it fails. No test passes because of it.
inline constexpr std::chrono::seconds Patience{20};
inline constexpr int32_t PatienceMilliseconds = 20'000;

using Bytes = std::vector<std::byte>;

// Random numbers that are the same in every run.
class Random {
public:
    explicit Random(uint32_t seed) : m_Engine(seed) {}
    // lowest to highest, both included.
    [[nodiscard]] uint32_t Between(uint32_t lowest, uint32_t highest)
    {
        return std::uniform_int_distribution<uint32_t>(lowest, highest)(m_Engine);
    }
    [[nodiscard]] bool OneIn(uint32_t n) { return Between(1, n) == 1; }

private:
    std::mt19937 m_Engine;
};

// The byte at a position of a stream: neighbours differ, and so do positions that are a ring's size apart.
[[nodiscard]] constexpr std::byte StreamByte(uint64_t position) noexcept
{
    return static_cast<std::byte>((position * 0x9E3779B97F4A7C15u) >> 56);
}

// size bytes of that stream, from a position on.
[[nodiscard]] Bytes StreamBytes(uint64_t position, size_t size);

// A packet of size bytes, header included, whose every byte follows from sender and number.
[[nodiscard]] Bytes NumberedPacket(uint32_t size, uint32_t sender, uint32_t number);
// A header that claims length, whatever that is.
[[nodiscard]] Bytes HeaderOf(uint16_t length);

// A blocking TCP client. Every call throws std::runtime_error when it fails or Patience ends, which fails the test,
// also from another thread, through its future.
class TestClient {
public:
    explicit TestClient(uint16_t port, const std::string& host = "127.0.0.1");

    void Send(std::span<const std::byte> data);
    // Exactly so many bytes.
    [[nodiscard]] Bytes Receive(size_t size);
    // Up to size bytes, at least one; none when the server ended in order.
    [[nodiscard]] Bytes ReceiveSome(size_t size);
    [[nodiscard]] Bytes ReceivePacket();
    // True if nothing comes any more but an end in order.
    [[nodiscard]] bool EndsInOrder();
    // Reads until the connection ends, in order or not, and returns how many bytes there were.
    size_t ReceiveToEnd();

    void EndSending() { m_Socket.ShutdownSend(); }
    void Close() { m_Socket.Close(); }
    // Closes so that the server gets a reset.
    void Reset();

    [[nodiscard]] std::string LocalAddress() const { return SocketAddress::LocalOf(m_Socket.Get()).Text().data(); }

private:
    // Bytes received, 0 for an end in order, -1 for an error.
    [[nodiscard]] int ReceiveInto(std::span<std::byte> buffer);

    UniqueSocket m_Socket;
};

// Whether this machine has IPv6 on its loopback interface.
[[nodiscard]] bool HasIPv6();

// Sends count packets, at most window of them unanswered, and requires each echo to be its packet. Sizes go up to
// maxSize.
void PumpEchoes(TestClient& client, uint32_t sender, uint32_t count, uint32_t window, uint32_t maxSize);

} // namespace NetLib::Test
