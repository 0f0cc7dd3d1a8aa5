#include "Log.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

namespace NetLib {

void Log::Write(LogLevel level, const char* format, ...) const noexcept
{
    if (m_Function == nullptr || static_cast<int32_t>(level) < m_MinLevel)
        return;
    std::array<char, 512> line;
    va_list arguments;
    va_start(arguments, format);
    const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
    va_end(arguments);
    if (length >= 0)
        m_Function(m_User, static_cast<int32_t>(level), line.data(),
                   std::min(static_cast<uint32_t>(length), static_cast<uint32_t>(line.size() - 1)));
}

} // namespace NetLib
