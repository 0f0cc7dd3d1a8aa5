// Log lines on their way to the user's callback.
#pragma once

#include <atomic>
#include <cstdarg>
#include <cstdint>

#include "IocpNetLib.h"

#if defined(__GNUC__)
#  define NETLIB_PRINTF(formatIndex, firstArgument) __attribute__((format(printf, formatIndex, firstArgument)))
#else
#  define NETLIB_PRINTF(formatIndex, firstArgument)
#endif

namespace NetLib {

enum class LogLevel : int32_t {
    Trace = NetLib_LogLevel_Trace,
    Debug = NetLib_LogLevel_Debug,
    Info = NetLib_LogLevel_Info,
    Warn = NetLib_LogLevel_Warn,
    Error = NetLib_LogLevel_Error,
};

// Any thread may write. Lines are cut at 511 bytes.
class Log {
public:
    Log(NetLib_LogFunc function, void* user, int32_t minLevel) noexcept
        : m_Function(function), m_User(user), m_MinLevel(minLevel)
    {
    }
    Log(const Log& other) noexcept
        : Log(other.m_Function, other.m_User, other.m_MinLevel.load(std::memory_order_relaxed))
    {
    }
    Log& operator=(const Log&) = delete;

    // Any thread.
    void SetMinLevel(int32_t minLevel) noexcept { m_MinLevel.store(minLevel, std::memory_order_relaxed); }

    void Write(LogLevel level, const char* format, ...) const noexcept NETLIB_PRINTF(3, 4);
    // A line about one connection.
    void WriteAbout(NetLib_ConnectionId connection, LogLevel level, const char* format, ...) const noexcept
        NETLIB_PRINTF(4, 5);

private:
    void WriteList(NetLib_ConnectionId connection, LogLevel level, const char* format,
                   va_list arguments) const noexcept;

    NetLib_LogFunc m_Function;
    void* m_User;
    std::atomic<int32_t> m_MinLevel;
};

} // namespace NetLib
