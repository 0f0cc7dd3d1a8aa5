// Runs CApiTest.c.
#include "CApiTest.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <gtest/gtest.h>

#include "TestClient.h"

void* CApiTest_Connect(uint16_t port)
{
    try {
        return std::make_unique<NetLib::Test::TestClient>(port).release();
    } catch (const std::runtime_error&) {
        return nullptr;
    }
}

int CApiTest_Send(void* client, const void* data, uint32_t size)
{
    try {
        static_cast<NetLib::Test::TestClient*>(client)->Send({static_cast<const std::byte*>(data), size});
        return 1;
    } catch (const std::runtime_error&) {
        return 0;
    }
}

int CApiTest_Receive(void* client, void* data, uint32_t size)
{
    try {
        const auto bytes = static_cast<NetLib::Test::TestClient*>(client)->Receive(size);
        std::copy(bytes.begin(), bytes.end(), static_cast<std::byte*>(data));
        return 1;
    } catch (const std::runtime_error&) {
        return 0;
    }
}

void CApiTest_Close(void* client)
{
    const std::unique_ptr<NetLib::Test::TestClient> owned(static_cast<NetLib::Test::TestClient*>(client));
}

namespace NetLib::Test {
namespace {

void ExpectOk(const char* failure) { EXPECT_EQ(failure, nullptr) << failure; }

TEST(CApi, Versions) { ExpectOk(CApiTest_Versions()); }
TEST(CApi, BackendName) { ExpectOk(CApiTest_BackendName()); }
TEST(CApi, Defaults) { ExpectOk(CApiTest_Defaults()); }
TEST(CApi, ResultTexts) { ExpectOk(CApiTest_ResultTexts()); }
TEST(CApi, InvalidArguments) { ExpectOk(CApiTest_InvalidArguments()); }
TEST(CApi, NotStarted) { ExpectOk(CApiTest_NotStarted()); }
TEST(CApi, StartErrors) { ExpectOk(CApiTest_StartErrors()); }
TEST(CApi, Echo) { ExpectOk(CApiTest_Echo()); }
TEST(CApi, SmallBuffer) { ExpectOk(CApiTest_SmallBuffer()); }
TEST(CApi, Submit) { ExpectOk(CApiTest_Submit()); }

} // namespace
} // namespace NetLib::Test
