// What io/Io.h promises, on this system's backend.
#include "io/Io.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <future>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "IoTestFixture.h"
#include "TestClient.h"

namespace NetLib::Test {
namespace {

using Status = IoOutcome::Status;

#if defined(_WIN32)
constexpr IoBackend Backends[] = {IoBackend::Iocp};
#else
constexpr IoBackend Backends[] = {IoBackend::Epoll, IoBackend::IoUring};
#endif

INSTANTIATE_TEST_SUITE_P(Each, IoTest, testing::ValuesIn(Backends), [](const auto& backend) {
    switch (backend.param) {
    case IoBackend::Iocp: return "Iocp";
    case IoBackend::Epoll: return "Epoll";
    default: return "IoUring";
    }
});

TEST_P(IoTest, AcceptsAndNamesThePeer)
{
    TestClient client(Port());
    ASSERT_TRUE(Until([&] { return !m_Accepted.empty(); }));
    EXPECT_EQ(m_Accepted.front().Peer, client.LocalAddress());
    EXPECT_EQ(m_AcceptsFailed, 0);
}

TEST_P(IoTest, AcceptsManyAtOnce)
{
    std::deque<TestClient> clients;
    for (int i = 0; i < 200; ++i) {
        clients.emplace_back(Port());
        if (i % 50 == 49)
            m_Io->Wait(0);
    }
    ASSERT_TRUE(Until([&] { return m_Accepted.size() == clients.size(); }));
    m_Io->Wait(0);
    EXPECT_EQ(m_Accepted.size(), clients.size());
}

// In whatever pieces the stream comes and is asked for, it is the stream, and then its end.
TEST_P(IoTest, ReceivesTheStreamAndItsEnd)
{
    constexpr uint32_t Total = 100'000;
    IoSocket& socket = Accept();
    auto sender = std::async(std::launch::async, [this] {
        Random random(1);
        Bytes stream(Total);
        for (uint32_t i = 0; i < Total; ++i)
            stream[i] = StreamByte(i);
        for (std::span<const std::byte> rest = stream; !rest.empty();) {
            const auto size = std::min<size_t>(rest.size(), random.Between(1, 5000));
            m_Client->Send(rest.first(size));
            rest = rest.subspan(size);
        }
        m_Client->EndSending();
    });
    Random random(2);
    Bytes buffer(4000);
    uint32_t received = 0;
    for (;;) {
        const auto piece = std::span(buffer).first(random.OneIn(3) ? random.Between(1, 9) : random.Between(1, 4000));
        const IoOutcome outcome = Receive(socket, piece);
        ASSERT_EQ(outcome.Result, Status::Done);
        if (outcome.Bytes == 0)
            break;
        ASSERT_LE(outcome.Bytes, piece.size());
        for (const std::byte byte : piece.first(outcome.Bytes))
            ASSERT_EQ(byte, StreamByte(received++));
    }
    sender.get();
    EXPECT_EQ(received, Total);
}

// One byte, then the end, both before the first receive is asked for, and both in the middle of a wait.
TEST_P(IoTest, DataThenEnd)
{
    for (const bool isEarly : {true, false}) {
        IoSocket& socket = Accept();
        Bytes buffer(10);
        const auto send = [&] {
            m_Client->Send(Bytes(3));
            m_Client->EndSending();
        };
        if (isEarly) {
            send();
            m_Io->Wait(10); // the readiness is reported while nobody asks
        }
        IoOutcome outcome = StartRecv(socket, buffer);
        if (!isEarly)
            send();
        if (outcome.Result == Status::Pending)
            outcome = NextRecv(socket);
        ASSERT_EQ(outcome.Result, Status::Done);
        EXPECT_EQ(outcome.Bytes, 3u);
        outcome = Receive(socket, buffer);
        EXPECT_EQ(outcome.Result, Status::Done);
        EXPECT_EQ(outcome.Bytes, 0u);
        outcome = Receive(socket, buffer);
        EXPECT_EQ(outcome.Result, Status::Done) << "and so again";
        EXPECT_EQ(outcome.Bytes, 0u);
    }
}

// A receive with no room tells that there is something, and takes none of it.
TEST_P(IoTest, ReceiveWithoutRoom)
{
    IoSocket& socket = Accept();
    Bytes buffer(10);
    const Bytes sent{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5}, std::byte{6}, std::byte{7}};
    const auto expectReadiness = [&](auto&& cause) {
        const IoOutcome outcome = StartRecv(socket, {});
        ASSERT_EQ(outcome.Result, Status::Pending);
        m_Io->Wait(0);
        ASSERT_TRUE(m_Recvs[&socket].empty()) << "there is nothing yet";
        cause();
        const IoOutcome ready = NextRecv(socket);
        ASSERT_EQ(ready.Result, Status::Done);
        ASSERT_EQ(ready.Bytes, 0u);
    };
    for (int round = 0; round < 3; ++round) {
        expectReadiness([&] { m_Client->Send(sent); });
        if (HasFatalFailure())
            return;
        const IoOutcome data = Receive(socket, std::span(buffer).first(4));
        ASSERT_EQ(data.Bytes, 4u);
        EXPECT_EQ(buffer[0], sent[0]);
        // The rest is there: a system may say so at once or a moment later.
        const IoOutcome more = Receive(socket, {});
        ASSERT_EQ(more.Result, Status::Done);
        ASSERT_EQ(Receive(socket, buffer).Bytes, 3u);
        EXPECT_EQ(buffer[2], sent[6]);
    }
    expectReadiness([&] { m_Client->EndSending(); });
    if (HasFatalFailure())
        return;
    const IoOutcome end = Receive(socket, buffer);
    EXPECT_EQ(end.Result, Status::Done);
    EXPECT_EQ(end.Bytes, 0u);
}

#if defined(_WIN32) // elsewhere a receive waits without a buffer, and nobody would cancel it
// Whether the cancellation or the data comes first: the data are there, once.
TEST_P(IoTest, CancelsAReceive)
{
    IoSocket& socket = Accept();
    Bytes buffer(10);
    const Bytes sent{std::byte{1}, std::byte{2}, std::byte{3}};
    ASSERT_EQ(StartRecv(socket, buffer).Result, Status::Pending);
    m_Io->CancelRecv(socket);
    EXPECT_EQ(NextRecv(socket).Result, Status::Failed);
    for (int round = 0; round < 20; ++round) {
        ASSERT_EQ(StartRecv(socket, buffer).Result, Status::Pending);
        m_Client->Send(sent);
        m_Io->CancelRecv(socket);
        IoOutcome outcome = NextRecv(socket);
        if (outcome.Result == Status::Failed)
            outcome = Receive(socket, buffer);
        ASSERT_EQ(outcome.Result, Status::Done);
        ASSERT_EQ(outcome.Bytes, sent.size());
        EXPECT_TRUE(std::equal(sent.begin(), sent.end(), buffer.begin()));
    }
}
#endif

TEST_P(IoTest, ResetFailsTheReceive)
{
    IoSocket& socket = Accept();
    Bytes buffer(10);
    const IoOutcome outcome = StartRecv(socket, buffer);
    ASSERT_EQ(outcome.Result, Status::Pending);
    m_Client->Reset();
    EXPECT_EQ(NextRecv(socket).Result, Status::Failed);
}

// Both pieces, in order, to a peer that reads late: sends are partial or pending, and nothing is lost.
TEST_P(IoTest, SendsTwoPiecesToASlowPeer)
{
    constexpr uint32_t Total = 8 << 20;
    IoSocket& socket = Accept();
    Bytes stream(Total);
    for (uint32_t i = 0; i < Total; ++i)
        stream[i] = StreamByte(i);
    std::promise<void> mayRead;
    auto reader = std::async(std::launch::async, [this, &mayRead, &stream] {
        mayRead.get_future().wait();
        return m_Client->Receive(Total) == stream;
    });
    Random random(1);
    bool wasPending = false;
    for (std::span<const std::byte> rest = stream; !rest.empty();) {
        const auto offered = rest.first(std::min<size_t>(rest.size(), 2 << 20));
        const auto cut = random.Between(1, static_cast<uint32_t>(offered.size()));
        IoOutcome outcome = StartSend(socket, offered.first(cut), offered.subspan(cut));
        if (outcome.Result == Status::Pending) {
            if (!wasPending)
                mayRead.set_value();
            wasPending = true;
            outcome = NextSend(socket);
        }
        ASSERT_EQ(outcome.Result, Status::Done);
        ASSERT_LE(outcome.Bytes, offered.size());
        rest = rest.subspan(outcome.Bytes);
    }
    ASSERT_TRUE(wasPending) << "the peer's system took it all: the test shows nothing";
    EXPECT_TRUE(reader.get());
}

TEST_P(IoTest, ReceivesWhileASendIsPending)
{
    IoSocket& socket = Accept();
    Bytes buffer(10);
    FillUntilPending(socket);
    const IoOutcome outcome = StartRecv(socket, buffer);
    ASSERT_EQ(outcome.Result, Status::Pending);
    m_Client->Send(Bytes(4));
    EXPECT_EQ(NextRecv(socket).Bytes, 4u);
    EXPECT_TRUE(m_Sends[&socket].empty());
    auto reader = std::async(std::launch::async, [this] { return m_Client->ReceiveToEnd(); });
    EXPECT_EQ(NextSend(socket).Result, Status::Done);
    socket.Socket.ShutdownSend();
    EXPECT_GT(reader.get(), 0u);
}

// Close ends what is pending, each operation once, as Failed, and never from inside Close itself.
TEST_P(IoTest, CloseFailsWhatIsPending)
{
    for (const bool abort : {false, true}) {
        IoSocket& socket = Accept();
        Bytes buffer(10);
        FillUntilPending(socket);
        ASSERT_EQ(StartRecv(socket, buffer).Result, Status::Pending);
        m_Io->Close(socket, abort);
        EXPECT_FALSE(socket.Socket.IsOpen());
        EXPECT_TRUE(m_Recvs[&socket].empty() && m_Sends[&socket].empty()) << "reported from inside Close";
        EXPECT_EQ(NextRecv(socket).Result, Status::Failed);
        EXPECT_EQ(NextSend(socket).Result, Status::Failed);
        m_Io->Wait(0);
        m_Io->Wait(0);
        EXPECT_TRUE(m_Recvs[&socket].empty() && m_Sends[&socket].empty()) << "reported twice";
        EXPECT_TRUE(Until([&] { return m_Closed.contains(&socket); }));
    }
}

TEST_P(IoTest, CloseWithoutOperationsReportsNothing)
{
    IoSocket& socket = Accept();
    m_Client->Send(Bytes(1));
    m_Io->Close(socket, false);
    EXPECT_TRUE(m_Closed.empty()) << "reported from inside Close";
    ASSERT_TRUE(Until([&] { return m_Closed.contains(&socket); }));
    EXPECT_TRUE(m_Recvs[&socket].empty() && m_Sends[&socket].empty());
    m_Client->ReceiveToEnd();
}

// A handler that closes other sockets, whose completions may be in the same batch.
TEST_P(IoTest, HandlersMayClose)
{
    constexpr size_t Count = 20;
    std::deque<TestClient> clients;
    std::deque<IoSocket*> sockets;
    std::deque<Bytes> buffers;
    for (size_t i = 0; i < Count; ++i) {
        sockets.push_back(&Accept());
        clients.push_back(std::move(*m_Client));
        buffers.emplace_back(10);
        ASSERT_EQ(StartRecv(*sockets.back(), buffers.back()).Result, Status::Pending);
    }
    m_OnRecv = [&](IoSocket&) {
        for (IoSocket* socket : sockets) {
            if (socket->Socket.IsOpen())
                m_Io->Close(*socket, true);
        }
    };
    for (TestClient& client : clients)
        client.Send(Bytes(1));
    ASSERT_TRUE(Until([&] {
        return std::all_of(sockets.begin(), sockets.end(), [&](IoSocket* socket) { return !m_Recvs[socket].empty(); });
    }));
    m_Io->Wait(0);
    m_Io->Wait(0);
    for (IoSocket* socket : sockets)
        EXPECT_EQ(m_Recvs[socket].size(), 1u) << "each operation completes once";
}

TEST_P(IoTest, WakeEndsAWait)
{
    for (int turn = 0; turn < 50; ++turn) {
        auto waker = std::async(std::launch::async, [this] { m_Io->Wake(); });
        m_Io->Wait(-1); // the watchdog is the limit
        waker.get();
    }
    m_Io->Wake(); // also one that comes before
    m_Io->Wait(-1);
    EXPECT_TRUE(m_Accepted.empty() && m_Recvs.empty() && m_Sends.empty());
}

// Wakes from many threads end waits and touch nothing else.
TEST_P(IoTest, WakeFromManyThreads)
{
    std::vector<std::thread> wakers;
    std::atomic<bool> isOver{false};
    for (int i = 0; i < 3; ++i) {
        wakers.emplace_back([&] {
            while (!isOver)
                m_Io->Wake();
        });
    }
    IoSocket& socket = Accept();
    Bytes buffer(10);
    IoOutcome outcome = StartRecv(socket, buffer);
    m_Client->Send(Bytes(5));
    if (outcome.Result == Status::Pending)
        outcome = NextRecv(socket);
    isOver = true;
    for (std::thread& waker : wakers)
        waker.join();
    EXPECT_EQ(outcome.Bytes, 5u);
}

TEST_P(IoTest, StopListeningEndsAccepting)
{
    IoSocket& socket = Accept();
    const size_t accepted = m_Accepted.size();
    m_Io->StopListening();
    m_Io->StopListening(); // harmless
    m_Io->ResumeAccept();
    EXPECT_THROW(
        {
            TestClient late(Port());
            (void)late.Receive(1);
        },
        std::runtime_error);
    ASSERT_TRUE(Until([&] { return m_Io->IsIdle(); })) << "the pre-posted accepts must come back";
    EXPECT_EQ(m_Accepted.size(), accepted);
    // The connections that are there live on.
    Bytes buffer(10);
    IoOutcome outcome = StartRecv(socket, buffer);
    m_Client->Send(Bytes(2));
    if (outcome.Result == Status::Pending)
        outcome = NextRecv(socket);
    EXPECT_EQ(outcome.Bytes, 2u);
}

TEST_P(IoTest, ResumeAcceptIsHarmless)
{
    m_Io->ResumeAccept();
    (void)Accept();
    m_Io->ResumeAccept();
    (void)Accept();
    EXPECT_EQ(m_AcceptsFailed, 0);
    EXPECT_EQ(m_AcceptsPaused, 0);
}

// A client that resets before it is accepted disturbs nobody.
TEST_P(IoTest, ResetBeforeAccept)
{
    for (int i = 0; i < 20; ++i) {
        TestClient early(Port());
        early.Reset();
    }
    IoSocket& socket = Accept();
    Bytes buffer(10);
    IoOutcome outcome = StartRecv(socket, buffer);
    m_Client->Send(Bytes(1));
    if (outcome.Result == Status::Pending)
        outcome = NextRecv(socket);
    EXPECT_EQ(outcome.Bytes, 1u);
    EXPECT_EQ(m_AcceptsPaused, 0);
}

TEST_P(IoTest, IsIdleOnlyWhenNothingIsPending)
{
    IoSocket& socket = Accept();
    m_Io->StopListening();
    ASSERT_TRUE(Until([&] { return m_Io->IsIdle(); }));
    Bytes buffer(10);
    ASSERT_EQ(StartRecv(socket, buffer).Result, Status::Pending);
    m_Io->Close(socket, false);
    EXPECT_EQ(NextRecv(socket).Result, Status::Failed);
    EXPECT_TRUE(Until([&] { return m_Io->IsIdle(); }));
}

} // namespace
} // namespace NetLib::Test
