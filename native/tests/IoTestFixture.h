// An I/O backend on the test's own thread, and what it reports.
#pragma once

#include <algorithm>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "TestClient.h"
#include "io/Io.h"

namespace NetLib::Test {

// Runs on each backend of this system.
class IoTest : public testing::TestWithParam<IoBackend>, private IoHandler {
protected:
    void SetUp() override
    {
        std::string fallback;
        auto io = Io::Create(GetParam(), *this, fallback);
        ASSERT_TRUE(io) << io.error();
        ASSERT_EQ(fallback, "");
        m_Io = std::move(*io);
        const auto address = SocketAddress::Parse("127.0.0.1", 0);
        auto listenSocket = OpenListenSocket(*address, false, [](UniqueSocket&) {});
        ASSERT_TRUE(listenSocket) << listenSocket.error().Text;
        m_Port = SocketAddress::LocalOf(listenSocket->Get()).Port();
        const auto listening = m_Io->Listen(std::move(*listenSocket));
        ASSERT_TRUE(listening) << listening.error();
    }

    // The system may use the memory of an operation until it is reported: so all of them are waited for.
    void TearDown() override
    {
        m_OnRecv = nullptr;
        m_Io->StopListening();
        for (IoSocket& socket : m_Sockets) {
            if (socket.Socket.IsOpen())
                m_Io->Close(socket, true);
        }
        EXPECT_TRUE(Until([&] { return m_Io->IsIdle() && m_Closed.size() == m_Sockets.size(); }));
        EXPECT_EQ(m_PendingRecvs, 0);
        EXPECT_EQ(m_PendingSends, 0);
    }

    [[nodiscard]] uint16_t Port() const { return m_Port; }

    // Serves the backend until the condition holds; false after Patience.
    [[nodiscard]] bool Until(const std::function<bool()>& condition)
    {
        const auto deadline = std::chrono::steady_clock::now() + Patience;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline)
                return false;
            m_Io->Wait(50);
        }
        return true;
    }

    // A new connection, m_Client at its other end.
    [[nodiscard]] IoSocket& Accept()
    {
        m_Client.emplace(m_Port);
        const std::string peer = m_Client->LocalAddress();
        const auto isIt = [&](const Accepted& accepted) { return accepted.Peer == peer; };
        if (!Until([&] { return std::any_of(m_Accepted.begin(), m_Accepted.end(), isIt); }))
            throw std::runtime_error("not accepted");
        IoSocket& socket = m_Sockets.emplace_back();
        if (!m_Io->Attach(socket, std::move(std::find_if(m_Accepted.begin(), m_Accepted.end(), isIt)->Socket)))
            throw std::runtime_error("not attached");
        return socket;
    }

    // Starts an operation; what it gives is for Next... if it is pending.
    [[nodiscard]] IoOutcome StartRecv(IoSocket& socket, std::span<std::byte> buffer)
    {
        const IoOutcome outcome = m_Io->Recv(socket, buffer);
        m_PendingRecvs += outcome.Result == IoOutcome::Status::Pending;
        return outcome;
    }
    [[nodiscard]] IoOutcome StartSend(IoSocket& socket, std::span<const std::byte> first,
                                      std::span<const std::byte> second)
    {
        const IoOutcome outcome = m_Io->Send(socket, first, second, false);
        m_PendingSends += outcome.Result == IoOutcome::Status::Pending;
        return outcome;
    }

    // The outcome of the pending operation.
    [[nodiscard]] IoOutcome NextRecv(IoSocket& socket) { return Next(m_Recvs[&socket]); }
    [[nodiscard]] IoOutcome NextSend(IoSocket& socket) { return Next(m_Sends[&socket]); }
    // Receives, waiting if need be.
    [[nodiscard]] IoOutcome Receive(IoSocket& socket, std::span<std::byte> buffer)
    {
        const IoOutcome outcome = StartRecv(socket, buffer);
        return outcome.Result == IoOutcome::Status::Pending ? NextRecv(socket) : outcome;
    }

    // Sends until the client's system takes no more and a send is pending. The memory must live until it is done.
    void FillUntilPending(IoSocket& socket)
    {
        const std::span<const std::byte> block = m_Block;
        for (int i = 0; i < 100; ++i) {
            const IoOutcome outcome = StartSend(socket, block, {});
            if (outcome.Result == IoOutcome::Status::Pending) {
                m_Io->Wait(0);
                m_Io->Wait(0); // io_uring needs a second turn to find out
                if (m_Sends[&socket].empty())
                    return;
                m_Sends[&socket].clear(); // completed at once: the system buffered it
            } else if (outcome.Result != IoOutcome::Status::Done) {
                break;
            }
        }
        throw std::runtime_error("no send stays pending");
    }

    struct Accepted {
        UniqueSocket Socket;
        std::string Peer;
    };

    std::unique_ptr<Io> m_Io;
    std::optional<TestClient> m_Client;
    std::deque<Accepted> m_Accepted;
    int m_AcceptsFailed = 0;
    int m_AcceptsPaused = 0;
    std::map<IoSocket*, std::deque<IoOutcome>> m_Recvs; // reported and not yet looked at
    std::map<IoSocket*, std::deque<IoOutcome>> m_Sends;
    std::map<IoSocket*, int> m_Closed; // how often OnClosed was called
    std::function<void(IoSocket&)> m_OnRecv;

private:
    void OnWoken() override {}
    void OnAccepted(UniqueSocket socket, const SocketAddress& peer) override
    {
        m_Accepted.push_back({std::move(socket), peer.Text().data()});
    }
    void OnAcceptFailed(int) override { ++m_AcceptsFailed; }
    void OnAcceptPaused(int) override { ++m_AcceptsPaused; }
    void OnRecvDone(IoSocket& socket, IoOutcome outcome) override
    {
        --m_PendingRecvs;
        EXPECT_FALSE(m_Closed.contains(&socket)) << "a report after the last";
        m_Recvs[&socket].push_back(outcome);
        if (m_OnRecv)
            m_OnRecv(socket);
    }
    void OnSendDone(IoSocket& socket, IoOutcome outcome) override
    {
        --m_PendingSends;
        EXPECT_FALSE(m_Closed.contains(&socket)) << "a report after the last";
        m_Sends[&socket].push_back(outcome);
    }
    void OnClosed(IoSocket& socket) override { EXPECT_EQ(++m_Closed[&socket], 1) << "reported twice"; }

    IoOutcome Next(std::deque<IoOutcome>& outcomes)
    {
        if (!Until([&] { return !outcomes.empty(); }))
            throw std::runtime_error("an operation does not complete");
        const IoOutcome outcome = outcomes.front();
        outcomes.pop_front();
        return outcome;
    }

    uint16_t m_Port = 0;
    const Bytes m_Block = Bytes(4 << 20);
    std::deque<IoSocket> m_Sockets; // stable addresses
    int m_PendingRecvs = 0;
    int m_PendingSends = 0;
};

} // namespace NetLib::Test
