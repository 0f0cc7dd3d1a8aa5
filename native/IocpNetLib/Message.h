// One event of one connection on its way from an I/O thread to logic.
#pragma once

#include <cstddef>
#include <cstdint>

namespace NetLib {

class Connection;

enum class MessageType : uint16_t { None = 0, Connection = 1, Close = 2, OnRecv = 3 };

// A message belongs to the I/O thread that fills it, then to the logic queue, then to the polling thread, which returns
// it: an OnRecv to the message pool, the other two, which are part of their connection, to their connection.
struct Message {
    Message* Next = nullptr;
    Connection* Owner = nullptr;
    const std::byte* Data = nullptr; // OnRecv: in the connection's receive ring; Connection: the peer's address
    uint32_t Size = 0;
    uint32_t GiveBack = 0; // OnRecv: bytes of the ring that become free with it
    MessageType Type = MessageType::None;
    uint16_t Reason = 0; // Close
};

// A list of messages in order, linked through Next. It owns nothing.
struct MessageList {
    Message* First = nullptr;
    Message* Last = nullptr;
    uint32_t Count = 0;

    [[nodiscard]] bool IsEmpty() const noexcept { return First == nullptr; }

    void Append(Message& message) noexcept
    {
        message.Next = nullptr;
        (First == nullptr ? First : Last->Next) = &message;
        Last = &message;
        ++Count;
    }

    [[nodiscard]] Message* TakeFirst() noexcept
    {
        Message* message = First;
        First = message->Next;
        --Count;
        return message;
    }
};

} // namespace NetLib
