#include "ConnectionPool.h"

#include <future>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "IOWorker.h"
#include "ServerContext.h"
#include "TestClient.h"

namespace NetLib::Test {
namespace {

// A pool in the surroundings that a connection needs to begin.
class ConnectionPoolTest : public testing::Test {
protected:
    void Make(int32_t count, uint32_t lastGeneration)
    {
        NetLib_Config config{};
        NetLib_DefaultConfig(&config);
        config.MaxConnectionCount = count;
        const auto checked = CheckConfig(config);
        ASSERT_TRUE(checked);
        m_Context = std::make_unique<ServerContext>(*checked, Log(nullptr, nullptr, 0), lastGeneration);
        auto worker = IOWorker::Create(*m_Context, 0);
        ASSERT_TRUE(worker) << worker.error();
        m_Worker = std::move(*worker);
    }

    [[nodiscard]] ConnectionPool& Pool() { return m_Context->Connections; }
    void Begin(Connection& connection)
    {
        connection.Begin(*m_Worker, UniqueSocket(), SocketAddress(), Opening::Signature, 100);
    }

    std::unique_ptr<ServerContext> m_Context;
    std::unique_ptr<IOWorker> m_Worker;
};

TEST_F(ConnectionPoolTest, GivesEachPlaceOnce)
{
    Make(5, 0);
    std::set<const Connection*> taken;
    for (uint32_t i = 0; i < 5; ++i) {
        Connection* connection = Pool().Take();
        ASSERT_NE(connection, nullptr);
        EXPECT_TRUE(taken.insert(connection).second);
        EXPECT_EQ(Pool().Find(connection->Index), connection);
        EXPECT_EQ(Pool().InUse(), i + 1);
    }
    EXPECT_EQ(Pool().Take(), nullptr);
    EXPECT_EQ(Pool().InUse(), 5u);
    EXPECT_EQ(Pool().Find(5), nullptr);
    EXPECT_EQ(Pool().Find(UINT32_MAX), nullptr);
    Pool().Return(*Pool().Find(3));
    EXPECT_EQ(Pool().InUse(), 4u);
    EXPECT_EQ(Pool().Take(), Pool().Find(3));
}

// A place rests as long as the pool allows, so that late calls of its last client find it unused.
TEST_F(ConnectionPoolTest, TheLongestFreePlaceComesFirst)
{
    Make(4, 0);
    for (uint32_t turn = 0; turn < 20; ++turn) {
        Connection* connection = Pool().Take();
        ASSERT_NE(connection, nullptr);
        EXPECT_EQ(connection->Index, turn % 4);
        Pool().Return(*connection);
    }
}

TEST_F(ConnectionPoolTest, IdsAreUnique)
{
    Make(3, 0);
    Random random(1);
    std::set<NetLib_ConnectionId> ids;
    std::vector<Connection*> taken;
    for (int turn = 0; turn < 1000; ++turn) {
        if (Connection* connection = random.OneIn(2) ? Pool().Take() : nullptr; connection != nullptr) {
            Begin(*connection);
            taken.push_back(connection);
            EXPECT_NE(connection->Id(), 0u);
            EXPECT_TRUE(ids.insert(connection->Id()).second) << connection->Id() << " was given twice";
            EXPECT_EQ(static_cast<uint32_t>(connection->Id()), connection->Index);
        } else if (!taken.empty()) {
            const size_t i = random.Between(0, static_cast<uint32_t>(taken.size()) - 1);
            taken[i]->AcceptedSocket.Close();
            Pool().Return(*taken[i]);
            taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    EXPECT_GT(ids.size(), 100u);
    for (Connection* connection : taken)
        Pool().Return(*connection);
    EXPECT_EQ(Pool().InUse(), 0u);
}

TEST_F(ConnectionPoolTest, GenerationWrapsAndIsNever0)
{
    Make(1, UINT32_MAX - 2);
    std::vector<uint32_t> generations;
    for (int turn = 0; turn < 4; ++turn) {
        Connection* connection = Pool().Take();
        ASSERT_NE(connection, nullptr);
        Begin(*connection);
        generations.push_back(static_cast<uint32_t>(connection->Id() >> 32));
        Pool().Return(*connection);
    }
    EXPECT_EQ(generations, (std::vector<uint32_t>{UINT32_MAX - 1, UINT32_MAX, 1, 2}));
}

// The next run's ids begin behind this one's.
TEST_F(ConnectionPoolTest, LastGenerationIsTheHighest)
{
    Make(3, 7);
    EXPECT_EQ(Pool().LastGeneration(), 7u);
    Connection* connection = Pool().Take();
    Begin(*connection);
    Pool().Return(*connection);
    EXPECT_EQ(Pool().LastGeneration(), 8u);
}

TEST_F(ConnectionPoolTest, ManyThreads)
{
    Make(6, 0);
    std::vector<std::future<bool>> threads;
    for (uint32_t thread = 0; thread < 3; ++thread) {
        threads.push_back(std::async(std::launch::async, [this, thread] {
            for (int turn = 0; turn < 3000; ++turn) {
                Connection* const first = Pool().Take();
                Connection* const second = Pool().Take();
                if (first == nullptr || second == nullptr || Pool().InUse() > 6)
                    return false;
                first->Reason = second->Reason = static_cast<CloseReason>(thread);
                if (first->Reason != static_cast<CloseReason>(thread) || first == second)
                    return false;
                Pool().Return(*first);
                Pool().Return(*second);
            }
            return true;
        }));
    }
    for (auto& thread : threads)
        EXPECT_TRUE(thread.get());
    EXPECT_EQ(Pool().InUse(), 0u);
}

} // namespace
} // namespace NetLib::Test
