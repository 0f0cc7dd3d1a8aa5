#include "Log.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace NetLib {

void Log::Write(LogLevel level, const char* format, ...) const noexcept
{
    va_list arguments;
    va_start(arguments, format);
    WriteList(0, level, format, arguments);
    va_end(arguments);
}

void Log::WriteAbout(NetLib_ConnectionId connection, LogLevel level, const char* format, ...) const noexcept
{
    va_list arguments;
    va_start(arguments, format);
    WriteList(connection, level, format, arguments);
    va_end(arguments);
}

void Log::WriteList(NetLib_ConnectionId connection, LogLevel level, const char* format,
                    va_list arguments) const noexcept
{
    if (m_Function == nullptr || static_cast<int32_t>(level) < m_MinLevel.load(std::memory_order_relaxed))
        return;
    std::array<char, 512> line;
    const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
    if (length >= 0)
        m_Function(m_User, static_cast<int32_t>(level), connection, line.data(),
                   std::min(static_cast<uint32_t>(length), static_cast<uint32_t>(line.size() - 1)));
}

} // namespace NetLib
