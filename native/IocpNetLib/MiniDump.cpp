// What the systems have in common: the folder and the names of the files.
#include "MiniDump.h"

#include <charconv>
#include <fstream>
#include <mutex>
#include <ranges>
#include <system_error>
#include <vector>

namespace NetLib {
namespace {

namespace fs = std::filesystem;

std::mutex& Mutex()
{
    static std::mutex mutex;
    return mutex;
}

// Makes folder if it is missing, writes a file, and leaves everything as it was.
std::error_code TryFolder(const fs::path& folder)
{
    std::error_code error;
    std::vector<fs::path> missing; // the innermost first
    for (fs::path part = folder; !fs::exists(part, error) && part.has_relative_path(); part = part.parent_path())
        missing.push_back(part);
    fs::create_directories(folder, error);
    if (!error) {
        const fs::path probe = folder / ("IocpNetLib-probe-" + std::to_string(reinterpret_cast<uintptr_t>(&error)));
        std::ofstream file(probe);
        if (!file)
            error = std::make_error_code(std::errc::permission_denied);
        file.close();
        std::error_code ignored;
        fs::remove(probe, ignored);
    }
    for (const fs::path& part : missing) {
        std::error_code ignored; // another process may have begun to use it
        fs::remove(part, ignored);
    }
    return error;
}

} // namespace

std::expected<fs::path, std::string> CheckMiniDumpFolder(std::string_view folder)
{
    const std::string name(folder);
    if (folder.empty() || folder.find('\0') != std::string_view::npos)
        return std::unexpected("no folder for crash files was named");
    try {
        const fs::path path = fs::absolute(fs::path(std::u8string(folder.begin(), folder.end()))).lexically_normal();
        std::error_code error;
        // Again, because another process that checks the same folder may have removed it in between.
        for (int attempt = 0; attempt < 3; ++attempt) {
            error = TryFolder(path);
            if (!error)
                return path;
        }
        return std::unexpected("the folder " + name +
                               " for crash files cannot be made or written to: " + error.message());
    } catch (const std::system_error& error) { // not UTF-8, no working directory
        return std::unexpected("the folder " + name + " for crash files cannot be used: " + error.what());
    }
}

MiniDumpName MakeMiniDumpName(int64_t secondsSince1970, uint32_t process) noexcept
{
    constexpr int64_t Day = int64_t{24} * 60 * 60;
    // Days to a date of the Gregorian calendar, with years that begin in March.
    const int64_t days = secondsSince1970 / Day + 719'468;
    const int64_t time = secondsSince1970 % Day;
    const int64_t era = days / 146'097;
    const int64_t dayOfEra = days % 146'097;
    const int64_t yearOfEra = (dayOfEra - dayOfEra / 1'460 + dayOfEra / 36'524 - dayOfEra / 146'096) / 365;
    const int64_t dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
    const int64_t shifted = (5 * dayOfYear + 2) / 153;
    const int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    const int64_t year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);

    MiniDumpName name{};
    char* end = name.Text;
    for (const char* from = "IocpNetLib-"; *from != '\0'; ++from)
        *end++ = *from;
    const auto add = [&end](int64_t value, int digits) {
        end += digits;
        for (int digit = 1; digit <= digits; ++digit, value /= 10)
            *(end - digit) = static_cast<char>('0' + value % 10);
    };
    add(year, 4);
    add(month, 2);
    add(dayOfYear - (153 * shifted + 2) / 5 + 1, 2);
    *end++ = '-';
    add(time / 3600, 2);
    add(time / 60 % 60, 2);
    add(time % 60, 2);
    *end++ = '-';
    *std::to_chars(end, name.Text + sizeof(name.Text) - 1, process).ptr = '\0';
    return name;
}

std::expected<void, std::string> MiniDump::Begin(std::string_view folder)
{
    const auto path = CheckMiniDumpFolder(folder);
    if (!path)
        return std::unexpected(path.error());
    const std::lock_guard lock(Mutex());
    return Install(*path);
}

void MiniDump::End() noexcept
{
    const std::lock_guard lock(Mutex());
    Uninstall();
}

} // namespace NetLib
