// What happens when the system refuses memory for a buffer: the connection that needs it ends, is logged and counted,
// and nobody else notices.
//
// A program of its own, because it replaces the global operator new, which would keep AddressSanitizer from watching it
// in the other tests.
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "ProxyHeader.h"
#include "ProxyHeaders.h"
#include "TestServer.h"

namespace {

// Allocations of this size are refused.
std::atomic<size_t> refusedSize{0};
// How many of this size there are now.
std::atomic<size_t> countedSize{0};
std::atomic<int> counted{0};
std::atomic<int> refusals{0};

// Counted down by every allocation of the process: the one that makes it 0 is refused. 0 and less: none.
std::atomic<int> refusalAt{0};

void* Allocate(size_t size)
{
    if (refusalAt.load(std::memory_order_relaxed) > 0 && refusalAt.fetch_sub(1, std::memory_order_relaxed) == 1)
        throw std::bad_alloc();
    if (size == refusedSize.load(std::memory_order_relaxed)) {
        refusals.fetch_add(1, std::memory_order_relaxed);
        throw std::bad_alloc();
    }
    // Its size lies before it.
    auto* const memory = static_cast<std::byte*>(std::malloc(alignof(std::max_align_t) + size));
    if (memory == nullptr)
        throw std::bad_alloc();
    std::memcpy(memory, &size, sizeof(size));
    counted += size == countedSize;
    return memory + alignof(std::max_align_t);
}

void Free(void* memory) noexcept
{
    if (memory == nullptr)
        return;
    std::byte* const whole = static_cast<std::byte*>(memory) - alignof(std::max_align_t);
    size_t size = 0;
    std::memcpy(&size, whole, sizeof(size));
    counted -= size == countedSize;
    std::free(whole);
}

} // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete[](void* memory) noexcept { Free(memory); }
void operator delete(void* memory, size_t) noexcept { Free(memory); }
void operator delete[](void* memory, size_t) noexcept { Free(memory); }

namespace NetLib::Test {
namespace {

// Refuses allocations of one size while it lives. Sizes that nothing else asks for.
class Refusal {
public:
    explicit Refusal(size_t size) { refusedSize.store(size); }
    Refusal(const Refusal&) = delete;
    Refusal& operator=(const Refusal&) = delete;
    ~Refusal() { refusedSize.store(0); }
};

constexpr int32_t RecvRing = 20'011;
constexpr int32_t SendRing = 50'021;
constexpr int32_t SharedBlock = 17'011; // MaxPacketSize, which is more than the 16 KiB of a usual one

NetLib_Config OddConfig()
{
    NetLib_Config config = SmallConfig();
    config.ConnectionMaxRecvBufferSize = RecvRing;
    config.MaxRecvOverlappedBufferSize = RecvRing;
    config.ConnectionMaxSendBufferSize = SendRing;
    config.MaxSendOverlappedBufferSize = SendRing;
    return config;
}

void ExpectEcho(const TestServer& server, TestClient& client, NetLib_ConnectionId id, uint32_t number)
{
    client.Send(NumberedPacket(20, 1, number));
    ASSERT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, number));
    ASSERT_EQ(server.Send(id, NumberedPacket(20, 2, number)), NetLib_Result_Success);
    ASSERT_EQ(client.ReceivePacket(), NumberedPacket(20, 2, number));
}

TEST(ServerMemory, NoneForAReceiveRing)
{
    NetLib_Config config = OddConfig();
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Error);
    TestServer server(config);
    TestClient first(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    const Bytes packet = NumberedPacket(20, 1, 1);
    const std::span<const std::byte> whole(packet);
    first.Send(whole.first(7)); // so that it has its ring, and keeps it
    server.Await("half a packet", [](const NetLib_Stats& stats) { return stats.BytesReceived == 7; });
    refusals = 0;
    {
        const Refusal refusal(RecvRing);
        TestClient refused(server.Port());
        const NetLib_ConnectionId refusedId = server.Next(NetLib_MessageType_Connection).Id;
        refused.Send(HeaderOf(5)); // a connection has a ring when it has something to put into it
        const Event close = server.Next(NetLib_MessageType_Close);
        EXPECT_EQ(close.Id, refusedId);
        EXPECT_EQ(close.Reason, NetLib_CloseReason_OutOfMemory);
        server.Release();
        EXPECT_EQ(refused.ReceiveToEnd(), 0u);
        first.Send(whole.subspan(7));
        EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, packet);
        EXPECT_EQ(server.Send(id, packet), NetLib_Result_Success);
        EXPECT_EQ(first.ReceivePacket(), packet);
    }
    EXPECT_EQ(refusals, 1);
    EXPECT_EQ(server.Stats().Closed[NetLib_CloseReason_OutOfMemory], 1u);
    EXPECT_EQ(log.Count("out of memory"), 1u);
    TestClient next(server.Port());
    ExpectEcho(server, next, server.Next(NetLib_MessageType_Connection).Id, 2);
    ExpectEcho(server, first, id, 3);
    server.Await("the place to be free", [](const NetLib_Stats& stats) { return stats.ConnectionsCurrent == 2; });
}

// Also when it was busy before, and its receive waits with a buffer (IOCP).
TEST(ServerMemory, AnIdleConnectionHoldsNoReceiveRing)
{
    countedSize = RecvRing;
    TestServer server(OddConfig());
    TestClient client(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    for (uint32_t i = 0; i < 2; ++i) {
        ExpectEcho(server, client, id, i);
        EXPECT_GT(counted, 0) << "logic holds the packet";
        server.Release();
        server.Await("no ring", [](const NetLib_Stats&) { return counted == 0; });
    }
    ExpectEcho(server, client, id, 2);
    countedSize = 0;
}

// The packet that it was to answer was accepted, and logic has it; only the answer cannot be sent.
TEST(ServerMemory, NoneForASendRing)
{
    NetLib_Config config = OddConfig();
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Error);
    TestServer server(config);
    TestClient first(server.Port());
    const NetLib_ConnectionId id = server.Next(NetLib_MessageType_Connection).Id;
    refusals = 0;
    {
        const Refusal refusal(SendRing);
        TestClient refused(server.Port());
        const NetLib_ConnectionId refusedId = server.Next(NetLib_MessageType_Connection).Id;
        refused.Send(NumberedPacket(20, 3, 1));
        EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 3, 1));
        EXPECT_EQ(server.Send(refusedId, HeaderOf(5)), NetLib_Result_ReservedSendPacketBufferEmptyBuffer);
        const Event close = server.Next(NetLib_MessageType_Close);
        EXPECT_EQ(close.Id, refusedId);
        EXPECT_EQ(close.Reason, NetLib_CloseReason_OutOfMemory);
        server.Release();
        EXPECT_EQ(refused.ReceiveToEnd(), 0u);
        first.Send(NumberedPacket(20, 1, 1));
        EXPECT_EQ(server.Next(NetLib_MessageType_OnRecv).Data, NumberedPacket(20, 1, 1));
    }
    EXPECT_EQ(refusals, 1);
    EXPECT_EQ(server.Stats().SendsDropped[NetLib_SendDrop_OutOfMemory], 1u);
    EXPECT_EQ(server.Stats().Closed[NetLib_CloseReason_OutOfMemory], 1u);
    EXPECT_EQ(log.Count("out of memory"), 1u);
    TestClient next(server.Port());
    ExpectEcho(server, next, server.Next(NetLib_MessageType_Connection).Id, 2);
    ExpectEcho(server, first, id, 3);
}

// Without memory for the reader of its header a connection ends, and logic hears nothing of it.
TEST(ServerMemory, NoneForAProxyHeader)
{
    NetLib_Config config = OddConfig();
    config.ProxySources = "127.0.0.1";
    LogLines log;
    log.AttachTo(config, NetLib_LogLevel_Error);
    TestServer server(config);
    refusals = 0;
    {
        const Refusal refusal(sizeof(ProxyHeaderReader));
        TestClient refused(server.Port());
        EXPECT_EQ(refused.ReceiveToEnd(), 0u);
    }
    EXPECT_EQ(refusals, 1);
    server.Await("its place to be free", [](const NetLib_Stats& stats) {
        return stats.Closed[NetLib_CloseReason_OutOfMemory] == 1 && stats.ConnectionsCurrent == 0;
    });
    EXPECT_EQ(log.Count("out of memory"), 1u);
    TestClient client(server.Port());
    client.Send(BytesOf("PROXY UNKNOWN\r\n"));
    ExpectEcho(server, client, server.Next(NetLib_MessageType_Connection).Id, 1);
    EXPECT_EQ(server.Stats().ConnectionsAccepted, 1u);
}

// Without a block to share, each receiver of a broadcast gets a copy of its own: nobody notices.
TEST(ServerMemory, NoneForASharedBlock)
{
    NetLib_Config config = OddConfig();
    config.MaxPacketSize = SharedBlock;
    TestServer server(config);
    TestClient first(server.Port());
    const NetLib_ConnectionId firstId = server.Next(NetLib_MessageType_Connection).Id;
    TestClient second(server.Port());
    const NetLib_ConnectionId secondId = server.Next(NetLib_MessageType_Connection).Id;
    refusals = 0;
    {
        const Refusal refusal(SharedBlock);
        EXPECT_EQ(server.Broadcast({firstId, secondId}, NumberedPacket(20, 1, 1)), NetLib_Result_Success);
        EXPECT_EQ(first.ReceivePacket(), NumberedPacket(20, 1, 1));
        EXPECT_EQ(second.ReceivePacket(), NumberedPacket(20, 1, 1));
    }
    EXPECT_EQ(refusals, 1);
    EXPECT_EQ(server.Broadcast({firstId, secondId}, NumberedPacket(20, 1, 2)), NetLib_Result_Success);
    EXPECT_EQ(first.ReceivePacket(), NumberedPacket(20, 1, 2));
    EXPECT_EQ(second.ReceivePacket(), NumberedPacket(20, 1, 2));
    EXPECT_EQ(server.Stats().PacketsSent, 4u);
}

// Whatever a start allocates may be refused, one after the other: it says so, leaves nothing behind, and works when it
// is tried again.
TEST(ServerMemory, NoneForAStart)
{
    NetLib_Config config = OddConfig();
    config.ProxySources = "192.0.2.1, 2001:db8::/32"; // others than the client's
    TestServer server;
    const size_t before = CountOpenDescriptors();
    char error[200]{};
    for (int allocation = 1;; ++allocation) {
        refusalAt.store(allocation);
        const NetLib_Result result = NetLib_Start(server.Get(), &config, error, sizeof(error));
        const bool wasRefused = refusalAt.exchange(0) <= 0;
        if (!wasRefused) { // a start needs no more than that
            EXPECT_EQ(result, NetLib_Result_Success) << error;
            EXPECT_GT(allocation, 10);
            EXPECT_EQ(NetLib_Stop(server.Get(), 0), NetLib_Result_Success);
            break;
        }
        EXPECT_TRUE(result == NetLib_Result_FailCreateConnection || result == NetLib_Result_OutOfMemory ||
                    result == NetLib_Result_FailLinkIocp || result == NetLib_Result_FailHandleIocpWork ||
                    result == NetLib_Result_FailCreateWorkThread)
            << result << ": " << error << ", allocation " << allocation;
        EXPECT_EQ(NetLib_GetPort(server.Get()), 0);
        EXPECT_EQ(CountOpenDescriptors(), before);
        ASSERT_FALSE(HasFailure());
    }
    EXPECT_EQ(NetLib_Start(server.Get(), &config, error, sizeof(error)), NetLib_Result_Success) << error;
    TestClient client(server.Port());
    ExpectEcho(server, client, server.Next(NetLib_MessageType_Connection).Id, 1);
}

} // namespace
} // namespace NetLib::Test
