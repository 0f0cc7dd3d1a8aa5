// The chat server's packets: login, rooms, chats and their notifies, as docs/protocol.md has them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "MappedArray.h"
#include "Turn.h"

namespace Peers {

// Users and rooms of one server. Rooms are numbered from 0, and exist all the time. One thread.
class ChatService {
public:
    static constexpr std::size_t MaxPacketSize = 1024;
    static constexpr std::size_t MaxRooms = 2000;

    // maxConnections: one more than the highest index.
    ChatService(Turn& turn, std::size_t maxConnections) : m_Turn(turn), m_Users(maxConnections), m_Rooms(MaxRooms) {}

    // False: a known packet of the wrong size, for which the connection is to be closed.
    [[nodiscard]] bool HandlePacket(ConnectionIndex index, std::span<const std::byte> packet);
    // The connection is gone: its user leaves the room, and the id is free.
    void HandleClose(ConnectionIndex index);
    // The sends of the turn are done.
    void EndTurn() noexcept;

private:
    static constexpr std::size_t NotifySize = 283;
    static constexpr std::size_t NotifyPrefix = 5 + 21; // header and UserID

    enum class State : std::uint8_t { None, Login, Room };

    struct User {
        std::array<std::byte, NotifyPrefix> Prefix; // how every notify of this user begins
        State Where;
        std::uint16_t RoomNumber;
    };

    struct Room {
        std::vector<ConnectionIndex> Members; // in the order in which they came
        std::span<std::byte> Memory;          // for notifies of this turn: one after the other
        std::size_t Used = 0;                 // bytes of Memory
    };

    void HandleLogin(ConnectionIndex index, std::span<const std::byte> body);
    void HandleEnter(ConnectionIndex index, std::span<const std::byte> body);
    void HandleLeave(ConnectionIndex index);
    void HandleChat(ConnectionIndex index, std::span<const std::byte> body);
    void RemoveFromRoom(ConnectionIndex index, User& user);
    // Answers with a header and an i16 result.
    void Respond(ConnectionIndex index, std::uint16_t packetId, std::uint16_t result);
    // Memory for one notify, right behind the room's last one if that is possible.
    std::byte* NotifyMemory(Room& room);

    Turn& m_Turn;
    MappedArray<User> m_Users; // by connection
    std::vector<Room> m_Rooms;
    std::vector<Room*> m_Talked; // rooms that have Memory
    std::unordered_set<std::string> m_LoggedIn;
};

} // namespace Peers
