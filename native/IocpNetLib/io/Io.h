// The contract between the server and the system's I/O, and the choice of the backend.
//
// One Io serves one I/O thread. The contract is completion-shaped: an operation is started, and its result is reported
// later, once. IOCP works that way by itself; epoll, which reports readiness, is adapted to it in its own file.
// Operations never allocate: their records live in the IoSocket, which the connection owns.
//
// Every backend is a class with these members (checked by the IoBackend concept below):
//
//   static std::expected<std::unique_ptr<Io>, std::string> Create(IoHandler&)
//   Listen(UniqueSocket)                starts accepting; an error is a sentence
//   void ResumeAccept()                 after OnAcceptPaused
//   void StopListening()                OnAccepted may still tell of who came before it
//   bool Attach(IoSocket&, UniqueSocket) gives the socket to this Io; no operation is pending
//   IoOutcome Recv(IoSocket&, span)     starts a receive; one at a time; the span stays valid until it is done
//   IoOutcome Send(IoSocket&, span, span) starts a send of two pieces; one at a time; the same rule
//   void Close(IoSocket&, bool abort)   closes the socket; pending operations then complete, once each, as Failed
//   void Wait(int milliseconds)         waits (-1: for ever, 0: not at all), then reports what is complete
//   void Wake()                         makes Wait return; the only member for other threads
//   bool IsIdle()                       nothing is pending that would touch this Io's memory; needed before its end
//
// All but Wake belong to the Io's thread. An operation may be done at once: Recv and Send then return Done, and no
// completion follows.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "io/Socket.h"

#if defined(_WIN32)
#  include "io/IoIocp.h"
#else
#  include "io/IoEpoll.h"
#endif

namespace NetLib {

#if defined(_WIN32)
using Io = IoIocp;
#else
using Io = IoEpoll;
#endif

template <class T>
concept IoBackend = requires(T io, IoSocket& socket, UniqueSocket native, IoHandler& handler,
                             std::span<std::byte> writable, std::span<const std::byte> readable) {
    { T::Create(handler) } -> std::same_as<std::expected<std::unique_ptr<T>, std::string>>;
    { T::Name } -> std::convertible_to<const char*>;
    { io.Listen(std::move(native)) } -> std::same_as<std::expected<void, std::string>>;
    { io.ResumeAccept() } -> std::same_as<void>;
    { io.StopListening() } -> std::same_as<void>;
    { io.Attach(socket, std::move(native)) } -> std::same_as<bool>;
    { io.Recv(socket, writable) } -> std::same_as<IoOutcome>;
    { io.Send(socket, readable, readable) } -> std::same_as<IoOutcome>;
    { io.Close(socket, true) } -> std::same_as<void>;
    { io.Wait(0) } -> std::same_as<void>;
    { io.Wake() } -> std::same_as<void>;
    { io.IsIdle() } -> std::same_as<bool>;
};

static_assert(IoBackend<Io>);

} // namespace NetLib
