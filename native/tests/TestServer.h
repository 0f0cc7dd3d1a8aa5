// A server under test, through the C ABI only.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "IocpNetLib.h"
#include "TestClient.h"

namespace NetLib::Test {

// Loopback, any port, two workers, and little of everything: limits are then met soon.
[[nodiscard]] NetLib_Config SmallConfig();

// Collects log lines, from any thread.
class LogLines {
public:
    void AttachTo(NetLib_Config& config, int32_t minLevel);
    // How many lines contain text.
    [[nodiscard]] size_t Count(const std::string& text) const;
    // What the lines that contain text are about; 0: no connection.
    [[nodiscard]] std::vector<NetLib_ConnectionId> ConnectionsOf(const std::string& text) const;
    // Lines that came from inside a call that must not log (see QuietCall).
    [[nodiscard]] std::vector<std::string> FromInsideCalls() const;
    [[nodiscard]] bool AreWellFormed() const;

private:
    struct Line {
        int32_t Level;
        NetLib_ConnectionId Connection;
        std::string Text;
        bool IsInsideCall;
    };
    static void Receive(void* user, int32_t level, NetLib_ConnectionId connection, const char* text, uint32_t length);

    mutable std::mutex m_Mutex;
    std::vector<Line> m_Lines;
};

// While it lives, this thread is inside a call that must not log.
class QuietCall {
public:
    QuietCall() noexcept;
    QuietCall(const QuietCall&) = delete;
    QuietCall& operator=(const QuietCall&) = delete;
    ~QuietCall();
    [[nodiscard]] static bool IsUnderWay() noexcept;
};

struct Event {
    NetLib_ConnectionId Id = 0;
    uint16_t Type = NetLib_MessageType_None;
    uint16_t Reason = 0;
    Bytes Data;
};

class TestServer {
public:
    TestServer();
    explicit TestServer(const NetLib_Config& config);
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;
    ~TestServer() { NetLib_Destroy(m_Server); }

    // Throws with the error's text.
    void Start(const NetLib_Config& config);
    [[nodiscard]] NetLib_Server* Get() const noexcept { return m_Server; }
    [[nodiscard]] uint16_t Port() const noexcept { return NetLib_GetPort(m_Server); }
    [[nodiscard]] NetLib_Stats Stats() const;

    // The next event, which must come and be of that type.
    [[nodiscard]] Event Next(uint16_t type) const;
    // The next poll takes nothing.
    [[nodiscard]] bool HasNothing() const;
    [[nodiscard]] NetLib_Result Send(NetLib_ConnectionId id, const Bytes& packet) const;
    [[nodiscard]] NetLib_Result Broadcast(const std::vector<NetLib_ConnectionId>& ids, const Bytes& packet) const;
    [[nodiscard]] NetLib_Result Disconnect(NetLib_ConnectionId id) const;
    // Gives back what Next returned.
    void Release() const;
    // Waits until the counters say that something has happened. Throws after Patience.
    void Await(const std::string& what, const std::function<bool(const NetLib_Stats&)>& condition) const;

private:
    NetLib_Server* m_Server;
};

// What an echo loop saw.
struct EchoTotals {
    uint64_t Connections = 0;
    uint64_t Packets = 0;
    uint64_t Closes = 0;
};

// Sends every packet back until the server stops, on a thread of its own; capacity messages a poll. Its future throws
// if a connection is told of otherwise than by one Connection, packets, one Close. It reads payloads where they lie, so
// no NetLib_Stop may come while it has some: end it with NetLib_BeginStop.
[[nodiscard]] std::future<EchoTotals> StartEcho(const TestServer& server, uint32_t capacity = 64);

// The same with the original's pair, GetNetworkMessage and SendPacket. It copies, so NetLib_Stop may come at any time.
[[nodiscard]] std::future<EchoTotals> StartCopyingEcho(const TestServer& server);

// Descriptors that this process has open; 0 where that cannot be told.
[[nodiscard]] size_t CountOpenDescriptors();

} // namespace NetLib::Test
