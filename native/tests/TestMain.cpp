// Runs the tests, none of them longer than a limit: a test that hangs is a failed one.
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "MiniDumpChild.h"
#include "TestClient.h"

namespace NetLib::Test {
namespace {

// Ends the process when a test takes too long: what it waits for cannot be interrupted otherwise.
class Watchdog : public testing::EmptyTestEventListener {
public:
    Watchdog() : m_Thread([this] { Run(); }) {}
    ~Watchdog() override
    {
        {
            const std::lock_guard lock(m_Mutex);
            m_IsOver = true;
        }
        m_Changed.notify_one();
        m_Thread.join();
    }

    void OnTestStart(const testing::TestInfo& test) override
    {
        Set(std::string(test.test_suite_name()) + "." + test.name(), Clock::now() + Limit);
    }
    void OnTestEnd(const testing::TestInfo&) override { Set({}, Clock::time_point::max()); }

private:
    using Clock = std::chrono::steady_clock;
    // Longer than Patience, which has the better message.
    static constexpr std::chrono::seconds Limit = 5 * Patience;

    void Set(std::string name, Clock::time_point deadline)
    {
        const std::lock_guard lock(m_Mutex);
        m_Name = std::move(name);
        m_Deadline = deadline;
        m_Changed.notify_one();
    }

    void Run()
    {
        std::unique_lock lock(m_Mutex);
        while (!m_IsOver) {
            if (m_Deadline == Clock::time_point::max()) {
                m_Changed.wait(lock);
            } else if (Clock::now() < m_Deadline) {
                m_Changed.wait_until(lock, m_Deadline);
            } else {
                std::fprintf(stderr, "%s hangs: it has taken more than %d s\n", m_Name.c_str(),
                             static_cast<int>(Limit.count()));
                std::abort();
            }
        }
    }

    std::mutex m_Mutex;
    std::condition_variable m_Changed;
    std::string m_Name;
    Clock::time_point m_Deadline = Clock::time_point::max();
    bool m_IsOver = false;
    std::thread m_Thread; // last: it uses the others
};

} // namespace
} // namespace NetLib::Test

int main(int argc, char** argv)
{
    if (argc == 4 && std::strcmp(argv[1], NetLib::Test::MiniDumpChildOption) == 0)
        return NetLib::Test::RunMiniDumpChild(argv[2], argv[3]);
    testing::InitGoogleTest(&argc, argv);
    const auto socketLayer = NetLib::SocketLayer::Open(); // for the clients
    if (!socketLayer)
        return EXIT_FAILURE;
    testing::UnitTest::GetInstance()->listeners().Append(new NetLib::Test::Watchdog); // GoogleTest deletes it
    return RUN_ALL_TESTS();
}
