/* The C ABI as its users see it: plain C11, the header and nothing else. */
#include "CApiTest.h"

#include <stddef.h>
#include <string.h>

#include "IocpNetLib.h"

#define TEXT_OF(x) #x
#define LINE_TEXT(line) TEXT_OF(line)
#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return "CApiTest.c:" LINE_TEXT(__LINE__) ": " #condition;                                                  \
    } while (0)

#define PATIENCE 20000
#define NOBODY UINT64_C(0x0000000100000000) /* the first id of slot 0: no connection has it before one comes */

/* The layout that callers in other languages are written for. */
_Static_assert(NETLIB_ABI_VERSION == 5, "a new version: look at every assertion here");
_Static_assert(sizeof(NetLib_Message) == 24, "NetLib_Message");
_Static_assert(offsetof(NetLib_Message, Data) == 8, "NetLib_Message.Data");
_Static_assert(offsetof(NetLib_Message, Size) == 16, "NetLib_Message.Size");
_Static_assert(offsetof(NetLib_Message, Type) == 20, "NetLib_Message.Type");
_Static_assert(offsetof(NetLib_Message, Reason) == 22, "NetLib_Message.Reason");
_Static_assert(sizeof(NetLib_Op) == 32, "NetLib_Op");
_Static_assert(offsetof(NetLib_Op, Type) == 24, "NetLib_Op.Type");
_Static_assert(offsetof(NetLib_Config, BindAddress) == 100, "NetLib_Config.BindAddress");
_Static_assert(offsetof(NetLib_Config, ProxySources) == 168, "NetLib_Config.ProxySources");
_Static_assert(sizeof(NetLib_Config) == 192, "NetLib_Config");
_Static_assert(sizeof(NetLib_Limits) == 24, "NetLib_Limits");
_Static_assert(sizeof(NetLib_Stats) == 8 + 8 * (18 + NetLib_SendDrop_Count + NetLib_CloseReason_Count), "NetLib_Stats");

static NetLib_Config LoopbackConfig(void)
{
    NetLib_Config config;
    NetLib_DefaultConfig(&config);
    config.PortNumber = 0;
    strcpy(config.BindAddress, "127.0.0.1");
    return config;
}

/* Runs test with a server that listens, and ends the server however the test ends. */
static const char* WithServer(const char* (*test)(NetLib_Server* server))
{
    const NetLib_Config config = LoopbackConfig();
    NetLib_Server* server = NetLib_Create();
    const char* failure = "the server does not start";
    if (server != NULL && NetLib_Start(server, &config, NULL, 0) == NetLib_Result_Success)
        failure = test(server);
    NetLib_Destroy(server);
    return failure;
}

/* The same, with one client that is connected. */
static const char* (*s_clientTest)(NetLib_Server* server, void* client);
static const char* RunClientTest(NetLib_Server* server)
{
    void* client = CApiTest_Connect(NetLib_GetPort(server));
    const char* failure = client == NULL ? "the client cannot connect" : s_clientTest(server, client);
    CApiTest_Close(client);
    return failure;
}
static const char* WithClient(const char* (*test)(NetLib_Server* server, void* client))
{
    s_clientTest = test;
    return WithServer(RunClientTest);
}

const char* CApiTest_Versions(void)
{
    REQUIRE(NetLib_AbiVersion() == NETLIB_ABI_VERSION);
    return NULL;
}

static const char* RunningBackend(NetLib_Server* server)
{
    const char* name = NetLib_BackendName(server);
#ifdef _WIN32
    REQUIRE(strcmp(name, "iocp") == 0);
#else
    REQUIRE(strcmp(name, "epoll") == 0 || strcmp(name, "io_uring") == 0);
#endif
    REQUIRE(NetLib_Stop(server, 0) == NetLib_Result_Success);
    REQUIRE(strcmp(NetLib_BackendName(server), name) == 0); /* of the last run */
    return NULL;
}
const char* CApiTest_BackendName(void)
{
    NetLib_Server* server = NetLib_Create();
    REQUIRE(server != NULL);
    REQUIRE(strcmp(NetLib_BackendName(server), "none") == 0);
    REQUIRE(strcmp(NetLib_BackendName(NULL), "none") == 0);
    NetLib_Destroy(server);
    return WithServer(RunningBackend);
}

const char* CApiTest_Defaults(void)
{
    NetLib_Config config;
    memset(&config, 0xFF, sizeof(config));
    NetLib_DefaultConfig(NULL);
    NetLib_DefaultConfig(&config);
    REQUIRE(config.StructSize == sizeof(NetLib_Config));
    REQUIRE(config.PortNumber == 11021);
    REQUIRE(config.WorkThreadCount == 1);
    REQUIRE(config.MaxPacketSize == 1024);
    REQUIRE(config.MaxConnectionCount == 1000);
    REQUIRE(config.ConnectionMaxRecvBufferSize == 16 * 1024);
    REQUIRE(config.ConnectionMaxSendBufferSize == 256 * 1024);
    REQUIRE(config.MaxMessagePoolCount == 65536);
    REQUIRE(config.ExtraMessagePoolCount == 8192);
    REQUIRE(config.PostMessagesThreadsCount == 1);
    REQUIRE(config.CloseTimeoutMilliseconds == 5000);
    REQUIRE(config.NoDelay == 1);
    REQUIRE(config.IoBackend == NetLib_IoBackend_Auto);
    REQUIRE(config.BindAddress[0] == '\0');
    REQUIRE(config.ProxySources == NULL);
    REQUIRE(config.Log == NULL);
    return NULL;
}

const char* CApiTest_ResultTexts(void)
{
    static const int32_t known[] = {0,  32, 33, 34,  35,  36,  37,  38,  39,  40,  41,  42,  43, 45,
                                    46, 47, 48, 49,  50,  51,  52,  53,  54,  55,  56,  57,  61, 62,
                                    63, 64, 65, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109};
    const char* unknown = NetLib_ResultText(-1);
    size_t next = 0;
    int32_t result;
    REQUIRE(unknown != NULL && unknown[0] != '\0');
    REQUIRE(NetLib_ResultText(INT32_MAX) != NULL && NetLib_ResultText(INT32_MIN) != NULL);
    for (result = -5; result < 300; ++result) {
        const int isKnown = next < sizeof(known) / sizeof(known[0]) && known[next] == result;
        const char* text = NetLib_ResultText(result);
        REQUIRE(text != NULL);
        REQUIRE((strcmp(text, unknown) != 0) == isKnown);
        next += (size_t)isKnown;
    }
    REQUIRE(next == sizeof(known) / sizeof(known[0]));
    return NULL;
}

static const char* InvalidArguments(NetLib_Server* server)
{
    const NetLib_Config config = LoopbackConfig();
    const uint8_t payload[8] = {0};
    const NetLib_ConnectionId receivers[2] = {NOBODY, NOBODY};
    char buffer[8] = {0};
    NetLib_Message message;
    NetLib_Stats stats;
    NetLib_Op ops[2];
    NetLib_ConnectionId id = 0;
    uint32_t count = 0;
    int8_t type = 0;

    REQUIRE(NetLib_Start(NULL, &config, NULL, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Start(server, NULL, NULL, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Start(server, &config, NULL, 1) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Start(server, &config, buffer, sizeof(buffer)) == NetLib_Result_AlreadyStarted);
    REQUIRE(strlen(buffer) == sizeof(buffer) - 1); /* cut, and terminated */
    REQUIRE(NetLib_GetPort(NULL) == 0);

    REQUIRE(NetLib_Poll(NULL, &message, 1, 0, &count) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Poll(server, NULL, 1, 0, &count) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Poll(server, &message, 0, 0, &count) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Poll(server, &message, 1, 0, NULL) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Poll(server, &message, 1, -2, &count) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Release(NULL) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_WakePoll(NULL) == NetLib_Result_InvalidArgument);

    REQUIRE(NetLib_GetNetworkMessage(NULL, &type, &id, buffer, 8, &count, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_GetNetworkMessage(server, NULL, &id, buffer, 8, &count, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, NULL, buffer, 8, &count, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, NULL, 8, &count, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, 8, NULL, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, 8, &count, -2) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, NULL, 0, &count, 0) == NetLib_Result_NoMessage);

    REQUIRE(NetLib_SendPacket(NULL, NOBODY, buffer, 8) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_SendPacket(server, NOBODY, NULL, 8) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_SendPacket(server, NOBODY, buffer, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_SendPacket(server, NOBODY, buffer, 256 * 1024 + 1) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_SendPacket(server, NOBODY, buffer, 8) == NetLib_Result_ReservedSendPacketBufferNotConnected);
    REQUIRE(NetLib_SendPacket(server, 0, buffer, 8) == NetLib_Result_ReservedSendPacketBufferNotConnected);
    REQUIRE(NetLib_SendPacket(server, UINT64_MAX, buffer, 8) == NetLib_Result_ReservedSendPacketBufferNotConnected);

    memset(&stats, 0, sizeof(stats));
    REQUIRE(NetLib_GetStats(server, &stats) == NetLib_Result_InvalidArgument);
    stats.StructSize = sizeof(stats) - 1;
    REQUIRE(NetLib_GetStats(server, &stats) == NetLib_Result_InvalidArgument);
    stats.StructSize = sizeof(stats);
    REQUIRE(NetLib_GetStats(NULL, &stats) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_GetStats(server, NULL) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_GetStats(server, &stats) == NetLib_Result_Success);
    REQUIRE(stats.StructSize == sizeof(stats) && stats.SendsDropped[NetLib_SendDrop_NotConnected] == 3);

    memset(ops, 0, sizeof(ops));
    ops[0].Type = NetLib_Op_Send;
    ops[0].ConnectionId = NOBODY;
    ops[0].PayloadSize = sizeof(payload);
    REQUIRE(NetLib_Submit(NULL, ops, 1, payload, 8, receivers, 2) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Submit(server, NULL, 1, payload, 8, receivers, 2) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Submit(server, ops, 1, NULL, 8, receivers, 2) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Submit(server, ops, 1, payload, 8, NULL, 2) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Submit(server, NULL, 0, NULL, 0, NULL, 0) == NetLib_Result_Success);
    REQUIRE(NetLib_Submit(server, ops, 1, payload, 8, NULL, 0) == NetLib_Result_Success);

    REQUIRE(NetLib_BeginStop(NULL) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Stop(NULL, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Stop(server, -1) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_Stop(server, 600001) == NetLib_Result_InvalidArgument);
    NetLib_Destroy(NULL);
    REQUIRE(NetLib_GetPort(server) != 0); /* none of this disturbed it */
    return NULL;
}

const char* CApiTest_InvalidArguments(void) { return WithServer(InvalidArguments); }

static const char* NotStarted(NetLib_Server* server)
{
    NetLib_Limits limits = {sizeof(NetLib_Limits), 0, 0, 0, 0, 20};
    NetLib_Message message;
    NetLib_Stats stats;
    NetLib_ConnectionId id = 0;
    char buffer[8] = {0};
    uint32_t count = 1;
    int8_t type = 1;
    memset(&stats, 0xFF, sizeof(stats));
    stats.StructSize = sizeof(stats);
    REQUIRE(NetLib_GetPort(server) == 0);
    REQUIRE(NetLib_Poll(server, &message, 1, NETLIB_WAIT_INFINITE, &count) == NetLib_Result_NotStarted);
    REQUIRE(count == 0);
    REQUIRE(NetLib_Release(server) == NetLib_Result_NotStarted);
    REQUIRE(NetLib_WakePoll(server) == NetLib_Result_NotStarted);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, 8, &count, NETLIB_WAIT_INFINITE) ==
            NetLib_Result_NotStarted);
    REQUIRE(NetLib_SendPacket(server, NOBODY, buffer, 8) == NetLib_Result_NotStarted);
    REQUIRE(NetLib_Submit(server, NULL, 0, NULL, 0, NULL, 0) == NetLib_Result_NotStarted);
    REQUIRE(NetLib_SetLimits(server, &limits, NULL, 0) == NetLib_Result_NotStarted);
    REQUIRE(NetLib_SetLimits(NULL, &limits, NULL, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_SetLimits(server, NULL, NULL, 0) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_SetLimits(server, &limits, NULL, 1) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_SetLogLevel(server, NetLib_LogLevel_Info) == NetLib_Result_NotStarted);
    REQUIRE(NetLib_SetLogLevel(server, NetLib_LogLevel_Fatal + 1) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_StopAccepting(server) == NetLib_Result_NotStarted);
    REQUIRE(NetLib_StopAccepting(NULL) == NetLib_Result_InvalidArgument);
    REQUIRE(NetLib_BeginStop(server) == NetLib_Result_NotStarted);
    REQUIRE(NetLib_Stop(server, 0) == NetLib_Result_NotStarted);
    REQUIRE(NetLib_GetStats(server, &stats) == NetLib_Result_Success);
    REQUIRE(stats.ConnectionsAccepted == 0 && stats.Closed[NetLib_CloseReason_Count - 1] == 0);
    return NULL;
}

const char* CApiTest_NotStarted(void)
{
    NetLib_Server* server = NetLib_Create();
    const char* failure = server == NULL ? "no server" : NotStarted(server);
    NetLib_Destroy(server);
    return failure;
}

static const char* StartErrors(NetLib_Server* server)
{
    NetLib_Config config = LoopbackConfig();
    char error[200];
    config.StructSize -= 1;
    REQUIRE(NetLib_Start(server, &config, error, sizeof(error)) == NetLib_Result_InvalidArgument);
    REQUIRE(strstr(error, "StructSize") != NULL);
    config = LoopbackConfig();
    config.MaxPacketSize = 4;
    REQUIRE(NetLib_Start(server, &config, error, sizeof(error)) == NetLib_Result_FailServerInfoMaxPacketSize);
    REQUIRE(strstr(error, "MaxPacketSize is 4") != NULL);
    REQUIRE(NetLib_Start(server, &config, error, 6) == NetLib_Result_FailServerInfoMaxPacketSize);
    REQUIRE(strcmp(error, "MaxPa") == 0);
    REQUIRE(NetLib_Start(server, &config, NULL, 0) == NetLib_Result_FailServerInfoMaxPacketSize);
    config = LoopbackConfig();
    strcpy(config.BindAddress, "localhost"); /* a name: nothing is looked up */
    REQUIRE(NetLib_Start(server, &config, error, sizeof(error)) == NetLib_Result_BadBindAddress);
    REQUIRE(strstr(error, "localhost") != NULL);
    REQUIRE(NetLib_GetPort(server) == 0);
    config = LoopbackConfig();
    error[0] = 'x';
    REQUIRE(NetLib_Start(server, &config, error, sizeof(error)) == NetLib_Result_Success);
    REQUIRE(error[0] == '\0');
    REQUIRE(NetLib_GetPort(server) != 0);
    return NULL;
}

const char* CApiTest_StartErrors(void)
{
    NetLib_Server* server = NetLib_Create();
    const char* failure = server == NULL ? "no server" : StartErrors(server);
    NetLib_Destroy(server);
    return failure;
}

static const char* Echo(NetLib_Server* server, void* client)
{
    static const uint8_t packet[8] = {8, 0, 101, 0, 0, 1, 2, 3};
    NetLib_ConnectionId id = 0;
    NetLib_ConnectionId first = 0;
    char buffer[64];
    uint8_t answer[8];
    uint32_t size = 0;
    int8_t type = 0;
    int i;
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &first, buffer, sizeof(buffer), &size, PATIENCE) == 0);
    REQUIRE(type == NetLib_MessageType_Connection && first != 0);
    REQUIRE(size > 10 && memcmp(buffer, "127.0.0.1:", 10) == 0);
    for (i = 0; i < 3; ++i) {
        REQUIRE(CApiTest_Send(client, packet, sizeof(packet)));
        REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, sizeof(buffer), &size, PATIENCE) == 0);
        REQUIRE(type == NetLib_MessageType_OnRecv && id == first);
        REQUIRE(size == sizeof(packet) && memcmp(buffer, packet, size) == 0);
        REQUIRE(NetLib_SendPacket(server, id, buffer, size) == NetLib_Result_Success);
        REQUIRE(CApiTest_Receive(client, answer, sizeof(answer)));
        REQUIRE(memcmp(answer, packet, sizeof(packet)) == 0);
    }
    /* 0 is no wait, and no success without a message. */
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, sizeof(buffer), &size, 0) == NetLib_Result_NoMessage);
    REQUIRE(type == NetLib_MessageType_None && size == 0);
    REQUIRE(NetLib_WakePoll(server) == NetLib_Result_Success);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, sizeof(buffer), &size, NETLIB_WAIT_INFINITE) ==
            NetLib_Result_NoMessage);
    /* It takes the Close, too, which gives it back: what is sent after that is refused. */
    REQUIRE(CApiTest_Send(client, packet, 2));
    REQUIRE(NetLib_BeginStop(server) == NetLib_Result_Success);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, NULL, 0, &size, PATIENCE) == 0);
    REQUIRE(type == NetLib_MessageType_Close && id == first && size == 0);
    REQUIRE(NetLib_SendPacket(server, id, buffer, 8) == NetLib_Result_ReservedSendPacketBufferNotConnected);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, NULL, 0, &size, PATIENCE) == NetLib_Result_Stopped);
    REQUIRE(NetLib_Stop(server, 0) == NetLib_Result_Success);
    return NULL;
}

const char* CApiTest_Echo(void) { return WithClient(Echo); }

static const char* SmallBuffer(NetLib_Server* server, void* client)
{
    static const uint8_t packets[13] = {8, 0, 101, 0, 0, 1, 2, 3, 5, 0, 102, 0, 0};
    NetLib_ConnectionId id = 0;
    char buffer[64];
    uint32_t size = 0;
    int8_t type = 0;
    /* Also the address of a Connection may not fit: it is asked for with a buffer that is big enough. */
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, 9, &size, PATIENCE) == NetLib_Result_BufferTooSmall);
    REQUIRE(size > 9 && id == 0 && type == NetLib_MessageType_None);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, size, &size, 0) == NetLib_Result_Success);
    REQUIRE(type == NetLib_MessageType_Connection && id != 0);

    REQUIRE(CApiTest_Send(client, packets, sizeof(packets)));
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, 7, &size, PATIENCE) == NetLib_Result_BufferTooSmall);
    REQUIRE(size == 8);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, NULL, 0, &size, 0) == NetLib_Result_BufferTooSmall);
    REQUIRE(size == 8);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, 8, &size, 0) == NetLib_Result_Success);
    REQUIRE(type == NetLib_MessageType_OnRecv && size == 8 && memcmp(buffer, packets, 8) == 0);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, 5, &size, PATIENCE) == NetLib_Result_Success);
    REQUIRE(size == 5 && memcmp(buffer, packets + 8, 5) == 0);
    return NULL;
}

const char* CApiTest_SmallBuffer(void) { return WithClient(SmallBuffer); }

/* One malformed operation, and none is carried out. */
static const char* Submit(NetLib_Server* server, void* client)
{
    static const uint8_t payload[12] = {6, 0, 1, 0, 0, 1, 6, 0, 2, 0, 0, 2};
    const NetLib_Op bad[] = {
        {0, 0, 6, 0, 0, 0, 0},                            /* no type */
        {0, 0, 6, 0, 0, 4, 0},                            /* no such type */
        {0, 0, 0, 0, 0, NetLib_Op_Send, 0},               /* empty */
        {0, 7, 6, 0, 0, NetLib_Op_Send, 0},               /* beyond the payload */
        {0, 13, 1, 0, 0, NetLib_Op_Send, 0},              /* begins beyond it */
        {0, UINT32_MAX, 2, 0, 0, NetLib_Op_Send, 0},      /* a sum that overflows */
        {0, 2, UINT32_MAX, 0, 0, NetLib_Op_Send, 0},      /* too large, and another one */
        {0, 0, 6, 1, 1, NetLib_Op_Broadcast, 0},          /* beyond the receivers */
        {0, 0, 6, UINT32_MAX, 2, NetLib_Op_Broadcast, 0}, /* a sum that overflows */
        {0, 0, 6, 0, UINT32_MAX, NetLib_Op_Broadcast, 0}, /* too many */
    };
    NetLib_Op ops[3];
    NetLib_ConnectionId id = 0;
    uint8_t answer[18];
    char buffer[64];
    uint32_t size = 0;
    int8_t type = 0;
    size_t i;
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, sizeof(buffer), &size, PATIENCE) == 0);
    memset(ops, 0, sizeof(ops));
    ops[0].Type = NetLib_Op_Send;
    ops[0].ConnectionId = id;
    ops[0].PayloadSize = 6;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
        ops[1] = bad[i];
        REQUIRE(NetLib_Submit(server, ops, 2, payload, sizeof(payload), &id, 1) == NetLib_Result_InvalidArgument);
    }
    /* A send, a broadcast and a disconnect in one call; a broadcast to nobody, and to a stale id, harms nothing. */
    ops[1].Type = NetLib_Op_Broadcast;
    ops[1].ConnectionId = 0;
    ops[1].PayloadOffset = 6;
    ops[1].PayloadSize = 6;
    ops[1].ReceiverOffset = 1;
    ops[1].ReceiverCount = 0;
    REQUIRE(NetLib_Submit(server, ops, 2, payload, sizeof(payload), &id, 1) == NetLib_Result_Success);
    ops[1].ReceiverOffset = 0;
    ops[1].ReceiverCount = 1;
    ops[2].Type = NetLib_Op_Disconnect;
    ops[2].ConnectionId = id;
    REQUIRE(NetLib_Submit(server, ops, 3, payload, sizeof(payload), &id, 1) == NetLib_Result_Success);
    REQUIRE(CApiTest_Receive(client, answer, sizeof(answer)));
    REQUIRE(memcmp(answer, payload, 6) == 0);
    REQUIRE(memcmp(answer + 6, payload, 12) == 0);
    REQUIRE(NetLib_GetNetworkMessage(server, &type, &id, buffer, sizeof(buffer), &size, PATIENCE) == 0);
    REQUIRE(type == NetLib_MessageType_Close);
    return NULL;
}

const char* CApiTest_Submit(void) { return WithClient(Submit); }
