// Output of one turn of the loop: what the packets that came together lead to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "BufferPool.h"
#include "Connection.h"
#include "MappedArray.h"

namespace Peers {

// Collects what is to be sent, so that each connection needs one send a turn, and owns the memory that must stay until
// these sends are done. Bytes that follow one another in memory (echoed packets, the notifies of a room) are sent from
// where they are; only others are copied together. One thread.
class Turn {
public:
    // A connection for which more than this many bytes wait is closed.
    static constexpr std::size_t MaxWaiting = 4 << 20;

    explicit Turn(MappedArray<Connection>& connections) : m_Connections(connections) { m_Dirty.reserve(4096); }

    // Adds bytes to what connection index gets. They must not change until EndTurn.
    void Append(ConnectionIndex index, std::span<const std::byte> bytes)
    {
        Connection& connection = m_Connections[index];
        if (connection.OutSize == 0) {
            connection.Out = bytes.data();
            connection.OutSize = static_cast<std::uint32_t>(bytes.size());
            m_Dirty.push_back(index);
        } else if (connection.HeldData == nullptr && connection.Out + connection.OutSize == bytes.data()) {
            connection.OutSize += static_cast<std::uint32_t>(bytes.size());
        } else {
            AppendCopy(index, connection, bytes);
        }
    }

    // Memory for size bytes that is valid until EndTurn.
    [[nodiscard]] std::span<std::byte> TakeMemory(std::size_t size)
    {
        const Buffer buffer = m_Pool.Take(size);
        m_Kept.push_back(buffer);
        return {buffer.Data, BufferPool::Capacity(buffer)};
    }

    // Gives buffer back at the end of the turn, since output may lie in it.
    void KeepUntilEnd(Buffer buffer)
    {
        if (buffer.Data != nullptr) {
            m_Kept.push_back(buffer);
        }
    }

    // The connections that got output in this turn, in no order, each once.
    [[nodiscard]] std::span<const ConnectionIndex> Dirty() const noexcept { return m_Dirty; }
    // Connection index has output of an earlier turn that can be sent now.
    void Unblock(ConnectionIndex index)
    {
        m_Connections[index].Blocked = false;
        m_Dirty.push_back(index);
    }
    // Connections to close after the sends of this turn.
    [[nodiscard]] std::span<const ConnectionIndex> ToClose() const noexcept { return m_ToClose; }
    void Close(ConnectionIndex index)
    {
        if (!m_Connections[index].Closing) {
            m_Connections[index].Closing = true;
            m_ToClose.push_back(index);
        }
    }

    // The first sent bytes of the connection's output are on their way; what is left waits in memory of its own.
    void HoldRest(Connection& connection, std::size_t sent)
    {
        const std::size_t rest = connection.OutSize - sent;
        if (connection.HeldData == nullptr) {
            connection.SetHeld(m_Pool.Take(rest));
            std::memcpy(connection.HeldData, connection.Out + sent, rest);
            connection.Out = connection.HeldData;
        } else {
            connection.Out += sent;
        }
        connection.OutSize = static_cast<std::uint32_t>(rest);
        connection.Blocked = true;
    }

    // The connection has nothing to send any more. Nobody reads its output's memory.
    void DropOutput(Connection& connection)
    {
        connection.OutSize = 0;
        if (connection.HeldData != nullptr) {
            m_Pool.GiveBack(connection.Held());
            connection.SetHeld({});
        }
    }

    // All sends of the turn are done or failed; what is left of a blocked connection's output is held.
    void EndTurn()
    {
        for (const ConnectionIndex index : m_Dirty) {
            if (!m_Connections[index].Blocked) {
                DropOutput(m_Connections[index]);
            }
        }
        for (const Buffer buffer : m_Kept) {
            m_Pool.GiveBack(buffer);
        }
        m_Dirty.clear();
        m_ToClose.clear();
        m_Kept.clear();
    }

    [[nodiscard]] BufferPool& Pool() noexcept { return m_Pool; }

private:
    void AppendCopy(ConnectionIndex index, Connection& connection, std::span<const std::byte> bytes)
    {
        const std::size_t size = connection.OutSize + bytes.size();
        if (size > MaxWaiting) {
            Close(index);
            return;
        }
        const std::size_t offset =
            connection.HeldData == nullptr ? 0 : static_cast<std::size_t>(connection.Out - connection.HeldData);
        if (connection.HeldData == nullptr || offset + size > BufferPool::Capacity(connection.Held())) {
            const Buffer larger = m_Pool.Take(2 * size);
            std::memcpy(larger.Data, connection.Out, connection.OutSize);
            m_Pool.GiveBack(connection.Held());
            connection.SetHeld(larger);
            connection.Out = larger.Data;
        }
        std::memcpy(connection.HeldData + (connection.Out - connection.HeldData) + connection.OutSize, bytes.data(),
                    bytes.size());
        connection.OutSize = static_cast<std::uint32_t>(size);
    }

    MappedArray<Connection>& m_Connections;
    BufferPool m_Pool;
    std::vector<ConnectionIndex> m_Dirty;
    std::vector<ConnectionIndex> m_ToClose;
    std::vector<Buffer> m_Kept;
};

} // namespace Peers
