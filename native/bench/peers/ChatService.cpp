#include "ChatService.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "Framing.h"
#include "Text.h"

namespace Peers {

namespace {

// Ids and sizes of docs/protocol.md.
constexpr std::uint16_t LoginRequest = 201;
constexpr std::uint16_t LoginResponse = 202;
constexpr std::uint16_t EnterRequest = 206;
constexpr std::uint16_t EnterResponse = 207;
constexpr std::uint16_t LeaveRequest = 209;
constexpr std::uint16_t LeaveResponse = 210;
constexpr std::uint16_t ChatRequest = 214;
constexpr std::uint16_t ChatResponse = 215;
constexpr std::uint16_t ChatNotify = 216;

constexpr std::size_t LoginRequestSize = 47;
constexpr std::size_t EnterRequestSize = 9;
constexpr std::size_t EnterResponseSize = 28;
constexpr std::size_t LeaveRequestSize = 5;
constexpr std::size_t ChatRequestSize = 262;
constexpr std::size_t ResponseSize = 7;
constexpr std::size_t NameSize = 21;

constexpr std::uint16_t ResultNone = 0;
constexpr std::uint16_t ResultInvalidUniqueId = 12;
constexpr std::uint16_t ResultLoginAlready = 31;
constexpr std::uint16_t ResultEnterNotFound = 51;
constexpr std::uint16_t ResultEnterInvalidStatus = 52;
constexpr std::uint16_t ResultRoomInvalidIndex = 61;
constexpr std::uint16_t ResultInvalidText = 63;
constexpr std::uint16_t ResultLeaveInvalidRoom = 71;
constexpr std::uint16_t ResultChatInvalidRoom = 81;

// How many bytes of notifies a room takes memory for at a time.
constexpr std::size_t RoomMemory = 16 * 1024;

void StoreU16(std::byte* target, std::size_t value) noexcept
{
    target[0] = static_cast<std::byte>(value);
    target[1] = static_cast<std::byte>(value >> 8);
}

void StoreHeader(std::byte* target, std::size_t size, std::uint16_t packetId) noexcept
{
    StoreU16(target, size);
    StoreU16(target + 2, packetId);
    target[4] = std::byte{0};
}

// The answer to nearly every chat: there is no need to make it each time.
constexpr std::array<std::byte, ResponseSize> ChatAccepted = {std::byte{ResponseSize}, std::byte{0},
                                                              std::byte{ChatResponse}, std::byte{0}};

std::string_view NameText(std::span<const std::byte> field) noexcept
{
    const char* const text = reinterpret_cast<const char*>(field.data());
    return {text, strnlen(text, field.size())};
}

} // namespace

bool ChatService::HandlePacket(ConnectionIndex index, std::span<const std::byte> packet)
{
    const std::span<const std::byte> body = packet.subspan(HeaderSize);
    std::size_t expected = 0;
    const std::size_t packetId = LoadU16(packet.data() + 2);
    switch (packetId) {
    case ChatRequest: expected = ChatRequestSize; break;
    case LoginRequest: expected = LoginRequestSize; break;
    case EnterRequest: expected = EnterRequestSize; break;
    case LeaveRequest: expected = LeaveRequestSize; break;
    default: return true; // unknown ids are ignored
    }
    if (packet.size() != expected) {
        return false;
    }
    switch (packetId) {
    case ChatRequest: HandleChat(index, body); break;
    case LoginRequest: HandleLogin(index, body); break;
    case EnterRequest: HandleEnter(index, body); break;
    default: HandleLeave(index); break;
    }
    return true;
}

void ChatService::HandleChat(ConnectionIndex index, std::span<const std::byte> body)
{
    const User& user = m_Users[index];
    if (user.Where != State::Room) {
        Respond(index, ChatResponse, ResultChatInvalidRoom);
        return;
    }
    const std::optional<std::span<const std::byte>> text = FieldText(body);
    if (!text) {
        Respond(index, ChatResponse, ResultInvalidText);
        return;
    }
    Room& room = m_Rooms[user.RoomNumber];
    std::byte* const notify = NotifyMemory(room);
    std::memcpy(notify, user.Prefix.data(), NotifyPrefix);
    std::memcpy(notify + NotifyPrefix, text->data(), text->size());
    std::memset(notify + NotifyPrefix + text->size(), 0, NotifySize - NotifyPrefix - text->size());

    m_Turn.Append(index, ChatAccepted);
    const std::span<const std::byte> packet(notify, NotifySize);
    for (const ConnectionIndex member : room.Members) {
        m_Turn.Append(member, packet);
    }
}

std::byte* ChatService::NotifyMemory(Room& room)
{
    if (room.Memory.size() - room.Used < NotifySize) {
        if (room.Memory.empty()) {
            m_Talked.push_back(&room);
        }
        room.Memory = m_Turn.TakeMemory(RoomMemory);
        room.Used = 0;
    }
    std::byte* const memory = room.Memory.data() + room.Used;
    room.Used += NotifySize;
    return memory;
}

void ChatService::EndTurn() noexcept
{
    for (Room* const room : m_Talked) {
        room->Memory = {};
        room->Used = 0;
    }
    m_Talked.clear();
}

void ChatService::HandleLogin(ConnectionIndex index, std::span<const std::byte> body)
{
    User& user = m_Users[index];
    if (user.Where != State::None) {
        Respond(index, LoginResponse, ResultLoginAlready);
        return;
    }
    const std::optional<std::span<const std::byte>> name = FieldText(body.first(NameSize));
    if (!name || name->empty() || HasControl(*name)) {
        Respond(index, LoginResponse, ResultInvalidUniqueId);
        return;
    }
    if (!m_LoggedIn.insert(std::string(NameText(*name))).second) {
        Respond(index, LoginResponse, ResultLoginAlready);
        return;
    }
    user.Prefix = {};
    StoreHeader(user.Prefix.data(), NotifySize, ChatNotify);
    std::ranges::copy(*name, user.Prefix.begin() + HeaderSize);
    user.Where = State::Login;
    Respond(index, LoginResponse, ResultNone);
}

void ChatService::HandleEnter(ConnectionIndex index, std::span<const std::byte> body)
{
    User& user = m_Users[index];
    const std::size_t number = LoadU16(body.data()) | LoadU16(body.data() + 2) << 16;
    std::uint16_t result = ResultNone;
    if (user.Where == State::None) {
        result = ResultEnterNotFound;
    } else if (user.Where == State::Room) {
        result = ResultEnterInvalidStatus;
    } else if (number >= m_Rooms.size()) {
        result = ResultRoomInvalidIndex;
    }
    std::byte* const response = m_Turn.TakeMemory(EnterResponseSize).data();
    StoreHeader(response, EnterResponseSize, EnterResponse);
    StoreU16(response + HeaderSize, result);
    std::memset(response + ResponseSize, 0, NameSize);
    if (result == ResultNone) {
        Room& room = m_Rooms[number];
        if (!room.Members.empty()) {
            std::memcpy(response + ResponseSize, m_Users[room.Members.front()].Prefix.data() + HeaderSize, NameSize);
        }
        room.Members.push_back(index);
        user.Where = State::Room;
        user.RoomNumber = static_cast<std::uint16_t>(number);
    }
    m_Turn.Append(index, {response, EnterResponseSize});
}

void ChatService::HandleLeave(ConnectionIndex index)
{
    User& user = m_Users[index];
    if (user.Where != State::Room) {
        Respond(index, LeaveResponse, ResultLeaveInvalidRoom);
        return;
    }
    RemoveFromRoom(index, user);
    user.Where = State::Login;
    Respond(index, LeaveResponse, ResultNone);
}

void ChatService::HandleClose(ConnectionIndex index)
{
    User& user = m_Users[index];
    if (user.Where == State::None) {
        return; // and whoever never logged in has no memory here either
    }
    if (user.Where == State::Room) {
        RemoveFromRoom(index, user);
    }
    m_LoggedIn.erase(std::string(NameText(std::span(user.Prefix).subspan(HeaderSize))));
    user.Where = State::None;
}

void ChatService::RemoveFromRoom(ConnectionIndex index, User& user)
{
    std::erase(m_Rooms[user.RoomNumber].Members, index);
}

void ChatService::Respond(ConnectionIndex index, std::uint16_t packetId, std::uint16_t result)
{
    std::byte* const response = m_Turn.TakeMemory(ResponseSize).data();
    StoreHeader(response, ResponseSize, packetId);
    StoreU16(response + HeaderSize, result);
    m_Turn.Append(index, {response, ResponseSize});
}

} // namespace Peers
