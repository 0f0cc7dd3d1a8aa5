// CheckConfig with any NetLib_Config: what it accepts is in range in every field, and what it refuses it refuses for a
// field that it names, with that field's result. The ranges are those that IocpNetLib.h promises, written down again.
#include <arpa/inet.h>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "Fuzz.h"
#include "NetConfig.h"

namespace NetLib::Fuzz {
namespace {

struct Field {
    std::string_view Name;
    int32_t NetLib_Config::*Value;
    int64_t Min;
    int64_t Max;
    int32_t NetLib_Config::*MinField; // instead of Min and Max, where another field is the bound
    int32_t NetLib_Config::*MaxField;
    NetLib_Result Result;
};

using C = NetLib_Config;
constexpr NetLib_Result Other = NetLib_Result_InvalidArgument;

constexpr std::array Fields{
    Field{"PortNumber", &C::PortNumber, 0, 65535, nullptr, nullptr, 33},
    Field{"WorkThreadCount", &C::WorkThreadCount, 0, 64, nullptr, nullptr, 32},
    Field{"MaxRecvOverlappedBufferSize", &C::MaxRecvOverlappedBufferSize, 1, 0, nullptr,
          &C::ConnectionMaxRecvBufferSize, 34},
    Field{"MaxSendOverlappedBufferSize", &C::MaxSendOverlappedBufferSize, 1, 0, nullptr,
          &C::ConnectionMaxSendBufferSize, 35},
    Field{"ConnectionMaxRecvBufferSize", &C::ConnectionMaxRecvBufferSize, 0, 16'777'216, &C::MaxPacketSize, nullptr,
          36},
    Field{"ConnectionMaxSendBufferSize", &C::ConnectionMaxSendBufferSize, 0, 67'108'864, &C::MaxPacketSize, nullptr,
          37},
    Field{"MaxPacketSize", &C::MaxPacketSize, 5, 65535, nullptr, nullptr, 38},
    Field{"MaxConnectionCount", &C::MaxConnectionCount, 1, 1'000'000, nullptr, nullptr, 39},
    Field{"MaxMessagePoolCount", &C::MaxMessagePoolCount, 1, 16'777'216, nullptr, nullptr, 40},
    Field{"ExtraMessagePoolCount", &C::ExtraMessagePoolCount, 0, 16'777'216, nullptr, nullptr, 41},
    Field{"PerformancePacketMillisecondsTime", &C::PerformancePacketMillisecondsTime, 100, 86'400'000, nullptr, nullptr,
          42}, // and 0
    Field{"PostMessagesThreadsCount", &C::PostMessagesThreadsCount, 1, 1, nullptr, nullptr, 43},
    Field{"CloseTimeoutMilliseconds", &C::CloseTimeoutMilliseconds, 0, 600'000, nullptr, nullptr, Other},
    Field{"FirstPacketTimeoutMilliseconds", &C::FirstPacketTimeoutMilliseconds, 0, 3'600'000, nullptr, nullptr, Other},
    Field{"IdleTimeoutMilliseconds", &C::IdleTimeoutMilliseconds, 0, 86'400'000, nullptr, nullptr, Other},
    Field{"KeepAliveIdleSeconds", &C::KeepAliveIdleSeconds, 0, 32'767, nullptr, nullptr, Other},
    Field{"KeepAliveIntervalSeconds", &C::KeepAliveIntervalSeconds, 1, 32'767, nullptr, nullptr, Other},
    Field{"KeepAliveCount", &C::KeepAliveCount, 1, 127, nullptr, nullptr, Other},
    Field{"MaxPacketsPerSecond", &C::MaxPacketsPerSecond, 0, 1'000'000, nullptr, nullptr, Other},
    Field{"MaxBytesPerSecond", &C::MaxBytesPerSecond, 0, 1'073'741'824, nullptr, nullptr, Other},
    Field{"RateBurstMilliseconds", &C::RateBurstMilliseconds, 20, 60'000, nullptr, nullptr, Other},
    Field{"NoDelay", &C::NoDelay, 0, 1, nullptr, nullptr, Other},
    Field{"IoBackend", &C::IoBackend, 0, 3, nullptr, nullptr, Other},
    Field{"MinLogLevel", &C::MinLogLevel, 0, 5, nullptr, nullptr, Other},
};

int64_t MinOf(const Field& field, const NetLib_Config& config)
{
    return field.MinField != nullptr ? config.*field.MinField : field.Min;
}

int64_t MaxOf(const Field& field, const NetLib_Config& config)
{
    return field.MaxField != nullptr ? config.*field.MaxField : field.Max;
}

bool IsInRange(const Field& field, const NetLib_Config& config)
{
    const int64_t value = config.*field.Value;
    if (field.Value == &C::PerformancePacketMillisecondsTime && value == 0)
        return true;
    return value >= MinOf(field, config) && value <= MaxOf(field, config);
}

bool IsTerminated(const NetLib_Config& config)
{
    return std::find(std::begin(config.BindAddress), std::end(config.BindAddress), '\0') !=
           std::end(config.BindAddress);
}

// ---- ProxySources, read once more: with the system's addresses, and bit by bit.

struct Source {
    std::array<uint8_t, 16> Address{}; // an IPv4 one as a mapped one
    size_t Bits = 0;
};

// Nothing if the entry is wrong.
std::optional<Source> SourceOf(std::string entry)
{
    while (!entry.empty() && entry.back() == ' ')
        entry.pop_back();
    entry.erase(0, entry.find_first_not_of(' '));
    const size_t slash = entry.find('/');
    const std::string address = entry.substr(0, slash);
    Source source;
    size_t skipped = 0; // bits in front of the address that was written
    if (::inet_pton(AF_INET, address.c_str(), source.Address.data() + 12) == 1) {
        source.Address[10] = source.Address[11] = 0xFF;
        skipped = 96;
    } else if (::inet_pton(AF_INET6, address.c_str(), source.Address.data()) != 1) {
        return std::nullopt;
    }
    source.Bits = 128;
    if (slash != std::string::npos) {
        const std::string length = entry.substr(slash + 1);
        const size_t bits = length.size() > 3 ? 999 : std::strtoul(length.c_str(), nullptr, 10);
        if (std::to_string(bits) != length || skipped + bits > 128)
            return std::nullopt;
        source.Bits = skipped + bits;
    }
    for (size_t bit = source.Bits; bit < 128; ++bit) {
        if ((source.Address[bit / 8] >> (7 - bit % 8) & 1) != 0)
            return std::nullopt;
    }
    return source;
}

std::optional<std::vector<Source>> SourcesOf(const NetLib_Config& config)
{
    std::vector<Source> sources;
    const std::string text = config.ProxySources == nullptr ? "" : config.ProxySources;
    if (text.empty())
        return sources;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const auto source = SourceOf(text.substr(begin, end - begin));
        if (!source)
            return std::nullopt;
        sources.push_back(*source);
        begin = end + 1;
    }
    return sources.size() > 64 || text.size() > 4096 ? std::nullopt : std::optional(sources);
}

bool IsIn(const Source& source, const std::array<uint8_t, 16>& address)
{
    for (size_t bit = 0; bit < source.Bits; ++bit) {
        if (((address[bit / 8] ^ source.Address[bit / 8]) >> (7 - bit % 8) & 1) != 0)
            return false;
    }
    constexpr std::array<uint8_t, 12> Mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    // A wider network of IPv6 addresses has no IPv4 client, though mapped addresses are in it.
    return source.Bits >= 96 || !std::equal(Mapped.begin(), Mapped.end(), address.begin());
}

// Some addresses of the last entry, and some that it just misses.
void CheckSources(const std::vector<Source>& sources, const NetworkList& list)
{
    Require(list.Size() == sources.size(), "an accepted list has as many entries");
    if (sources.empty())
        return;
    const Source& last = sources.back();
    for (const size_t flipped : {size_t{0}, size_t{95}, last.Bits - 1, last.Bits, size_t{127}, size_t{128}}) {
        auto address = last.Address;
        if (flipped < 128)
            address[flipped / 8] ^= static_cast<uint8_t>(0x80 >> flipped % 8);
        const bool isIn = std::any_of(sources.begin(), sources.end(),
                                      [&address](const Source& source) { return IsIn(source, address); });
        Require(list.Contains(IpAddress::V6(address)) == isIn, "an address is in the list or not");
    }
}

// What a list is made of, often.
std::string ListOf(Input& input)
{
    constexpr std::array<std::string_view, 16> Parts{
        "10.0.0.0", "192.168.1.128", "::", "2001:db8::", "::ffff:10.0.0.0", "/8", "/25", "/104", "/", ",", ", ", " ",
        "::1",      "0.0",           "/0", ":"};
    std::string text;
    for (uint32_t parts = input.Take<uint8_t>() % 80; parts > 0 && !input.IsEmpty(); --parts) {
        const uint8_t part = input.Take<uint8_t>();
        if (part < 192)
            text += Parts[part % Parts.size()];
        else
            text.push_back(static_cast<char>(input.Take<uint8_t>()));
    }
    return text;
}

// Any bytes, which are nearly always refused, or the defaults with some fields changed, often to about their bounds.
// The text of ProxySources is in sources, if there is one.
NetLib_Config ConfigOf(Input& input, std::string& sources)
{
    NetLib_Config config{};
    const uint8_t kind = input.Take<uint8_t>();
    if (kind % 8 == 0) {
        const auto bytes = input.TakeBytes(sizeof(config));
        if (!bytes.empty())
            std::memcpy(&config, bytes.data(), bytes.size());
        config.ProxySources = nullptr; // a pointer is not for the fuzzer to choose
        config.Log = nullptr;
        config.LogUser = nullptr;
        if (kind % 16 == 0)
            config.StructSize = sizeof(config);
        return config;
    }
    NetLib_DefaultConfig(&config);
    while (!input.IsEmpty()) {
        const uint8_t what = input.Take<uint8_t>();
        if (what == 255) {
            config.StructSize = input.Take<uint32_t>();
        } else if (what >= 252 && what < 254) {
            sources = ListOf(input);
            if (what == 253) // as long as may be, and longer
                sources.resize(4090 + input.Take<uint8_t>() % 16, ' ');
            config.ProxySources = sources.c_str();
        } else if (what >= 250) {
            const auto bytes = input.TakeBytes(what == 254 ? sizeof(config.BindAddress) : input.Take<uint8_t>() % 65);
            if (!bytes.empty())
                std::memcpy(config.BindAddress, bytes.data(), bytes.size());
        } else {
            const Field& field = Fields[what % Fields.size()];
            const uint8_t how = input.Take<uint8_t>();
            int64_t value = how % 4 == 0   ? input.Take<int32_t>()
                            : how % 4 == 1 ? MinOf(field, config)
                            : how % 4 == 2 ? MaxOf(field, config)
                                           : input.Take<int16_t>();
            value += how / 4 % 3 - 1;
            config.*field.Value = static_cast<int32_t>(std::clamp<int64_t>(value, INT32_MIN, INT32_MAX));
        }
    }
    return config;
}

void CheckAccepted(const NetLib_Config& config, const NetConfig& checked)
{
    Require(config.StructSize == sizeof(NetLib_Config), "an accepted StructSize is this library's");
    for (const Field& field : Fields)
        Require(IsInRange(field, config), "an accepted field is in range");
    Require(IsTerminated(config), "an accepted BindAddress is terminated");
    const auto sources = SourcesOf(config);
    Require(sources.has_value(), "accepted ProxySources are addresses and networks");
    CheckSources(*sources, checked.ProxySources);

    const auto same = [](int32_t in, auto out) { return static_cast<int64_t>(in) == static_cast<int64_t>(out); };
    Require(same(config.PortNumber, checked.PortNumber) && same(config.WorkThreadCount, checked.WorkThreadCount) &&
                same(config.MaxRecvOverlappedBufferSize, checked.MaxRecvOverlappedBufferSize) &&
                same(config.MaxSendOverlappedBufferSize, checked.MaxSendOverlappedBufferSize) &&
                same(config.ConnectionMaxRecvBufferSize, checked.ConnectionMaxRecvBufferSize) &&
                same(config.ConnectionMaxSendBufferSize, checked.ConnectionMaxSendBufferSize) &&
                same(config.MaxPacketSize, checked.MaxPacketSize) &&
                same(config.MaxConnectionCount, checked.MaxConnectionCount) &&
                same(config.MaxMessagePoolCount, checked.MaxMessagePoolCount) &&
                same(config.ExtraMessagePoolCount, checked.ExtraMessagePoolCount) &&
                same(config.PerformancePacketMillisecondsTime, checked.PerformancePacketMillisecondsTime.count()) &&
                same(config.CloseTimeoutMilliseconds, checked.CloseTimeout.count()) &&
                same(config.FirstPacketTimeoutMilliseconds, checked.InitialLimits.FirstPacketTimeout.count()) &&
                same(config.IdleTimeoutMilliseconds, checked.InitialLimits.IdleTimeout.count()) &&
                same(config.KeepAliveIdleSeconds, checked.PeerKeepAlive.Idle.count()) &&
                same(config.KeepAliveIntervalSeconds, checked.PeerKeepAlive.Interval.count()) &&
                same(config.KeepAliveCount, checked.PeerKeepAlive.Count) &&
                same(config.MaxPacketsPerSecond, checked.InitialLimits.Rate.PacketsPerSecond) &&
                same(config.MaxBytesPerSecond, checked.InitialLimits.Rate.BytesPerSecond) &&
                same(config.RateBurstMilliseconds, checked.InitialLimits.Rate.Burst / std::chrono::milliseconds(1)) &&
                same(config.NoDelay, checked.NoDelay ? 1 : 0) &&
                same(config.IoBackend, static_cast<int32_t>(checked.Backend)) &&
                checked.BindAddress == config.BindAddress,
            "an accepted value arrives as it is");
}

void CheckRefused(const NetLib_Config& config, const StartError& error)
{
    if (error.Text.starts_with("StructSize is ")) {
        Require(config.StructSize != sizeof(NetLib_Config) && error.Result == Other, "it is StructSize that is wrong");
        return;
    }
    if (error.Text.starts_with("BindAddress is ")) {
        Require(!IsTerminated(config) && error.Result == NetLib_Result_BadBindAddress,
                "it is BindAddress that is wrong");
        return;
    }
    if (error.Text.starts_with("ProxySources ")) {
        Require(!SourcesOf(config) && error.Result == Other, "it is ProxySources that is wrong");
        return;
    }
    for (const Field& field : Fields) {
        const std::string begin =
            std::string(field.Name) + " is " + std::to_string(config.*field.Value) + ", allowed is ";
        if (!error.Text.starts_with(begin))
            continue;
        Require(!IsInRange(field, config), "the field that is named is out of range");
        Require(error.Result == field.Result, "the result is that field's");
        return;
    }
    Require(false, "a refusal names a field and its value");
}

} // namespace
} // namespace NetLib::Fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    using namespace NetLib;
    Fuzz::Input input(data, size);
    std::string sources;
    const NetLib_Config config = Fuzz::ConfigOf(input, sources);
    const auto checked = CheckConfig(config);
    if (checked)
        Fuzz::CheckAccepted(config, *checked);
    else
        Fuzz::CheckRefused(config, checked.error());
    return 0;
}
