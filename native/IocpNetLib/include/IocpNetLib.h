/*
 * IocpNetLib: the C ABI of the native network core.
 *
 * A core is a shared library that exports the functions below (IocpNetLib.dll, libIocpNetLib.so). It owns sockets,
 * I/O threads, ring buffers and the message pool; its user owns the logic. The functions keep the names of the C++
 * library they replace (namespace NetLib, class IOCPServerNet): NetLib_Start is NetLib::IOCPServerNet::Start.
 *
 * Conventions of the whole header
 *   - Plain C, little-endian hosts, fixed-width types. No C++ exception ever leaves a function.
 *   - A struct that may grow starts with StructSize; the caller sets it to sizeof the struct that it was compiled with.
 *   - Functions that can fail return a NetLib_Result: 0 is success. Nothing is told through errno or the last error,
 *     and both may change.
 *   - The core never keeps a pointer that it was given, except NetLib_Config::Log and LogUser, which it keeps until
 *     NetLib_Stop returns.
 *   - Memory that the core hands out is freed by the core. Memory that the caller passes in is never freed by the core.
 *   - "Logic thread" is the one thread that calls NetLib_Poll or NetLib_GetNetworkMessage. It need not be the same
 *     thread all the time, but two such calls must not overlap: the second returns NetLib_Result_Busy.
 *   - Any function may be called from any thread unless its comment says otherwise. NetLib_Destroy must not overlap
 *     any other call on the same server.
 */
#ifndef IOCPNETLIB_H
#define IOCPNETLIB_H

#include <stdint.h>

#if defined(_WIN32)
#  if defined(IOCPNETLIB_BUILD)
#    define NETLIB_API __declspec(dllexport)
#  else
#    define NETLIB_API
#  endif
#else
#  define NETLIB_API __attribute__((visibility("default")))
#endif

#if defined(__cplusplus)
#  define NETLIB_NOEXCEPT noexcept
extern "C" {
#else
#  define NETLIB_NOEXCEPT
#endif

/* Raised whenever a function, a struct or a meaning below changes in a way that an older caller would not survive. */
#define NETLIB_ABI_VERSION 5u

/* Length of the packet header: u16 PacketLength, u16 PacketId, u8 Type, packed, little-endian. */
#define NETLIB_PACKET_HEADER_LENGTH 5

/* For waits: wait for ever. 0 means "do not wait". */
#define NETLIB_WAIT_INFINITE (-1)

/* Capacity of NetLib_Config::BindAddress in bytes, terminator included. */
#define NETLIB_BIND_ADDRESS_CAPACITY 64

/* Most bytes of NetLib_Config::ProxySources, its terminator not included, and most entries. */
#define NETLIB_PROXY_SOURCES_LENGTH 4096
#define NETLIB_PROXY_SOURCES_COUNT 64

/* A server: opaque. Made by NetLib_Create, ended by NetLib_Destroy. */
typedef struct NetLib_Server NetLib_Server;

/*
 * Names one connection for its whole life: slot index in the low 32 bits, generation of the slot in the high 32. A
 * slot that is reused gets another generation (1 to 2^32-1, so an id is never 0), and an id of an earlier
 * generation is recognised as stale for ever after.
 */
typedef uint64_t NetLib_ConnectionId;

/* Results. Values up to 65 are the numbers of the original library's NetResult, those from 100 up this library's. */
typedef int32_t NetLib_Result;
enum {
    NetLib_Result_Success = 0,

    NetLib_Result_FailWorkThreadInfo = 32, /* WorkThreadCount out of range */
    NetLib_Result_FailServerInfoPort = 33, /* PortNumber out of range */
    NetLib_Result_FailServerInfoMaxRecvOverlappedBufferSize = 34,
    NetLib_Result_FailServerInfoMaxSendOverlappedBufferSize = 35,
    NetLib_Result_FailServerInfoMaxRecvConnectionBufferSize = 36,
    NetLib_Result_FailServerInfoMaxSendConnectionBufferSize = 37,
    NetLib_Result_FailServerInfoMaxPacketSize = 38,
    NetLib_Result_FailServerInfoMaxConnectionCount = 39,
    NetLib_Result_FailServerInfoMaxMessagePoolCount = 40,
    NetLib_Result_FailServerInfoExtraMessagePoolCount = 41,
    NetLib_Result_FailServerInfoPerformancePacketMillisecondsTime = 42,
    NetLib_Result_FailServerInfoPostMessagesThreadsCount = 43,
    NetLib_Result_FailCreateListenSocketStartup = 45, /* the system's socket layer did not start */
    NetLib_Result_FailCreateListenSocketSocket = 46,  /* the system gave no socket */
    NetLib_Result_FailCreateListenSocketBind = 47,    /* address not available, or port in use */
    NetLib_Result_FailCreateListenSocketListen = 48,
    NetLib_Result_FailHandleIocpWork = 49,       /* no completion port, epoll or io_uring instance for a worker */
    NetLib_Result_FailHandleIocpLogic = 50,      /* reserved: the logic queue needs no handle of the system */
    NetLib_Result_FailCreateMessageManager = 51, /* reserved: 53 tells of this memory, too */
    NetLib_Result_FailLinkIocp = 52,             /* the I/O backend could not begin to accept */
    NetLib_Result_FailCreateConnection = 53,     /* out of memory: connections and message pool */
    NetLib_Result_FailCreatePerformance = 54,    /* reserved: counters cannot fail */
    NetLib_Result_FailCreateWorkThread = 55,     /* the system refused a thread */
    NetLib_Result_BindAcceptExSocketFailWSASocket = 56, /* reserved: logged when it happens, and tried again */
    NetLib_Result_BindAcceptExSocketFailAcceptEx = 57,  /* reserved: 52 at start, later logged and tried again */
    NetLib_Result_PostRecvNullObj = 61,                 /* 61 to 63: reserved, a failed receive closes its connection */
    NetLib_Result_PostRecvNullWSABUF = 62,
    NetLib_Result_PostRecvNullSocketError = 63,
    NetLib_Result_ReservedSendPacketBufferNotConnected = 64, /* the connection has gone, or is closing */
    NetLib_Result_ReservedSendPacketBufferEmptyBuffer = 65,  /* no room in the send ring: the connection closes */

    NetLib_Result_InvalidArgument = 100, /* null pointer, wrong StructSize, span out of bounds: nothing was done */
    NetLib_Result_AlreadyStarted = 101,  /* NetLib_Start on a running server */
    NetLib_Result_NotStarted = 102,      /* the server is not running */
    NetLib_Result_Busy = 103,            /* another NetLib_Poll or NetLib_GetNetworkMessage is under way */
    NetLib_Result_Stopped = 104,         /* the server is stopping and every event has been delivered */
    NetLib_Result_NoMessage = 105,       /* the wait ended without a message */
    NetLib_Result_BufferTooSmall = 106,  /* the next packet does not fit the caller's buffer: it stays queued */
    NetLib_Result_BadBindAddress = 107,  /* BindAddress is not terminated or not an IPv4 or IPv6 address */
    NetLib_Result_OutOfMemory = 108,
    NetLib_Result_FailMiniDump = 109 /* NetLib_EnableMiniDump: the folder cannot be made or written to */
};

/* Severity of a log line. The original library's LogLevel. */
enum {
    NetLib_LogLevel_Trace = 0,
    NetLib_LogLevel_Debug = 1, /* start and stop, each connect and disconnect */
    NetLib_LogLevel_Info = 2,  /* the periodic performance line */
    NetLib_LogLevel_Warn = 3,  /* a client broke the protocol, a limit was reached */
    NetLib_LogLevel_Error = 4, /* the system refused something that the server needs */
    NetLib_LogLevel_Fatal = 5  /* reserved */
};

/*
 * Receives one log line: level is a NetLib_LogLevel, connection the id of the connection that it is about, or 0; text is
 * UTF-8 without terminator or line end, length its bytes. text is valid during the call only. Called from the core's own threads, one line at a time or several at once, and
 * from the thread inside NetLib_Start, NetLib_Stop or NetLib_Destroy; with WorkThreadCount 0 also from the thread inside
 * NetLib_Poll or NetLib_GetNetworkMessage. Never from inside NetLib_Submit, NetLib_SendPacket, NetLib_BeginStop or
 * NetLib_GetStats, and never for a packet.
 * It must not call back into the server.
 */
typedef void (*NetLib_LogFunc)(void* user, int32_t level, NetLib_ConnectionId connection, const char* text,
                               uint32_t length);

/* The system's means for I/O. Auto: iocp on Windows; on Linux io_uring, or epoll where io_uring is not to be had, which
 * is logged. A backend that this system does not have is an error at the start. */
enum { NetLib_IoBackend_Auto = 0, NetLib_IoBackend_Iocp = 1, NetLib_IoBackend_Epoll = 2, NetLib_IoBackend_IoUring = 3 };

/*
 * What a server is started with: the original library's NetConfig, then this library's own fields.
 *
 * ProxySources is terminated text, up to 4,096 bytes, which is read during NetLib_Start only: up to 64 IP addresses and
 * networks in CIDR form, IPv4 and IPv6, separated by commas, with spaces around them ("10.0.0.0/8, 2001:db8::/32"). It
 * names the load balancers in front of the server. A connection from there must begin with a header of HAProxy's PROXY
 * protocol, version 1 or 2 (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt); one from anywhere else must
 * not. An IPv4 client of an IPv6 socket is looked for as IPv4. An entry that is neither an address nor a network, also
 * one with bits set behind its prefix, is NetLib_Result_InvalidArgument.
 *   - Logic is told of such a connection when its header is complete, with the client's address from it. A connection
 *     that ends before is not told of at all. Its header is no packet: no rate limits it, and what follows it is read
 *     as if the connection began there. FirstPacketTimeoutMilliseconds counts from the accept.
 *   - It is the proxy's own address that logic is told if the header names no TCP client: UNKNOWN in version 1; LOCAL,
 *     and PROXY with another family than AF_INET and AF_INET6 or another protocol than STREAM, in version 2.
 *   - Version 2 may carry up to 65,535 bytes, what its length can say. Fields behind the addresses (TLVs) are skipped,
 *     but a checksum (PP2_TYPE_CRC32C) has to be right.
 *   - From anywhere else, a connection is closed if the first bytes it sends are the signature of a header: "PROXY ",
 *     or the twelve bytes of version 2. That comes before PacketTooLong, which such bytes are for most limits; what
 *     ends within a signature is what its first two bytes are as a PacketLength.
 */
typedef struct NetLib_Config {
    uint32_t StructSize; /* sizeof(NetLib_Config) */

    int32_t PortNumber;                        /* 0 to 65535; 0: any free port, NetLib_GetPort tells which */
    int32_t WorkThreadCount;                   /* I/O threads, 0 to 64; 0: the logic thread does the I/O itself, inside
                                                  NetLib_Poll, see there */
    int32_t MaxRecvOverlappedBufferSize;       /* bytes asked for in one receive, 1 to ConnectionMaxRecvBufferSize */
    int32_t MaxSendOverlappedBufferSize;       /* bytes offered in one send, 1 to ConnectionMaxSendBufferSize */
    int32_t ConnectionMaxRecvBufferSize;       /* bytes of a receive ring, MaxPacketSize to 16 MiB */
    int32_t ConnectionMaxSendBufferSize;       /* bytes of a send ring, MaxPacketSize to 64 MiB */
    int32_t MaxPacketSize;                     /* bytes, header included, 5 to 65535 */
    int32_t MaxConnectionCount;                /* 1 to 1,000,000 */
    int32_t MaxMessagePoolCount;               /* packets that may wait for logic, 1 to 16,777,216 */
    int32_t ExtraMessagePoolCount;             /* reserve behind them, 0 to 16,777,216; using it is logged */
    int32_t PerformancePacketMillisecondsTime; /* period of the performance log line, 100 to 86,400,000; 0: none */
    int32_t PostMessagesThreadsCount;          /* logic threads: must be 1 */

    int32_t CloseTimeoutMilliseconds; /* bound for a connection that closes: sending what is queued, then up to 1 s in
                                         which the client may end its side; 0 to 600,000 */
    int32_t FirstPacketTimeoutMilliseconds; /* a connection that has not completed its first packet by then is closed;
                                               0 to 3,600,000; 0: never */
    int32_t IdleTimeoutMilliseconds;  /* so is one that has completed no packet for so long; time in which the server
                                         itself does not read it does not count; 0 to 86,400,000; 0: never */
    int32_t KeepAliveIdleSeconds;     /* TCP keepalive: silence until the first question, 0 to 32,767; 0: none */
    int32_t KeepAliveIntervalSeconds; /* between questions, 1 to 32,767 */
    int32_t KeepAliveCount;           /* unanswered ones until the connection is broken, 1 to 127. A client that takes
                                         nothing of what it is sent for the same time in all, because it is gone or
                                         does not read, is given up, too. The three ranges are Linux's (tcp(7),
                                         include/net/tcp.h) */
    int32_t MaxPacketsPerSecond;      /* of one connection, 0 to 1,000,000; 0: no limit. One that sends more is read
                                         more slowly, so that TCP slows it; nothing that was received is lost */
    int32_t MaxBytesPerSecond;        /* the same for bytes of packets, 0 to 1,073,741,824 */
    int32_t RateBurstMilliseconds; /* what a connection may send at once, after silence, as time at these rates, 20 to
                                         60,000 (less than a system's timers resolve would lower the rates); one packet
                                         always passes */
    int32_t NoDelay;               /* 1: TCP_NODELAY (the default), 0: Nagle's algorithm */
    int32_t IoBackend;             /* NetLib_IoBackend: how I/O is done */
    int32_t MinLogLevel;           /* lines below this NetLib_LogLevel are not made */
    char BindAddress[NETLIB_BIND_ADDRESS_CAPACITY]; /* IP address as text; empty: all, IPv6 and IPv4 on one socket */
    const char* ProxySources;                       /* whose connections begin with a PROXY header, see above; null or
                                                       empty: nobody's */
    NetLib_LogFunc Log;                             /* may be null: no log */
    void* LogUser;                                  /* passed to Log as it is */
} NetLib_Config;

/* What every connection is held to and may change while a server runs: fields of NetLib_Config, with their ranges. */
typedef struct NetLib_Limits {
    uint32_t StructSize; /* sizeof(NetLib_Limits) */
    int32_t FirstPacketTimeoutMilliseconds;
    int32_t IdleTimeoutMilliseconds;
    int32_t MaxPacketsPerSecond;
    int32_t MaxBytesPerSecond;
    int32_t RateBurstMilliseconds;
} NetLib_Limits;

/* What a NetLib_Message tells. The original library's MessageType. */
enum {
    NetLib_MessageType_None = 0,
    NetLib_MessageType_Connection = 1, /* Data: the peer's address as text, e.g. 127.0.0.1:50000 or [::1]:50000, or
                                          the client's that its PROXY header names; "unknown address" if the peer had
                                          gone before it was asked for */
    NetLib_MessageType_Close = 2,      /* Data: null; Reason says why */
    NetLib_MessageType_OnRecv = 3      /* Data: one whole packet, header included */
};

/* Why a connection ended. Stable numbers: new reasons are added at the end. */
enum {
    NetLib_CloseReason_None = 0,
    NetLib_CloseReason_PeerClosed = 1,     /* the peer ended its sending side in order */
    NetLib_CloseReason_PeerReset = 2,      /* the connection broke: reset */
    NetLib_CloseReason_PacketTooShort = 3, /* protocol violation: PacketLength under 5 */
    NetLib_CloseReason_PacketTooLong = 4,  /* protocol violation: PacketLength over MaxPacketSize */
    NetLib_CloseReason_SendBufferFull = 5, /* the client reads too slowly: its send ring was full */
    NetLib_CloseReason_Logic = 6,          /* logic asked for it with NetLib_Op_Disconnect */
    NetLib_CloseReason_ServerStop = 7,
    NetLib_CloseReason_OutOfMemory = 8,        /* no memory for this connection's buffers */
    NetLib_CloseReason_FirstPacketTimeout = 9, /* no whole packet within FirstPacketTimeoutMilliseconds */
    NetLib_CloseReason_IdleTimeout = 10,       /* no whole packet for IdleTimeoutMilliseconds */
    NetLib_CloseReason_PeerTimeout =
        11, /* the peer vanished: it does not answer, or takes nothing of what it is sent */
    NetLib_CloseReason_ProxyHeaderInvalid = 12,    /* protocol violation: a connection from ProxySources that begins
                                                      without a PROXY header, or with a malformed one. Logic is told
                                                      nothing of it: this reason is only counted */
    NetLib_CloseReason_ProxyHeaderNotAllowed = 13, /* protocol violation: a PROXY header from anywhere else */
    NetLib_CloseReason_Count = 14                  /* how many reasons there are */
};

/* Why a payload was not queued. Stable numbers: new reasons are added at the end. */
enum {
    NetLib_SendDrop_NotConnected = 0, /* no such connection, or logic has disconnected it or given its Close back, or an
                                         earlier payload did not fit */
    NetLib_SendDrop_Broken = 1,       /* its socket is closed, and its Close on the way to logic */
    NetLib_SendDrop_BufferFull = 2,   /* no room in its send ring: it is being closed */
    NetLib_SendDrop_OutOfMemory = 3,  /* no memory for its send ring: it is being closed */
    NetLib_SendDrop_Count = 4         /* how many reasons there are */
};

/*
 * One event of one connection. For every connection logic receives exactly: one Connection, its packets in the order
 * in which they were sent, one Close, and nothing after it. Of one that ended before its PROXY header was complete it
 * receives nothing.
 */
typedef struct NetLib_Message {
    NetLib_ConnectionId ConnectionId;
    const uint8_t* Data; /* owned by the core; see NetLib_Poll for how long */
    uint32_t Size;       /* bytes at Data */
    uint16_t Type;       /* NetLib_MessageType */
    uint16_t Reason;     /* NetLib_CloseReason, for Close; otherwise 0 */
} NetLib_Message;

/* What NetLib_Submit does with one NetLib_Op. */
enum {
    NetLib_Op_Send = 1,      /* queue the payload for ConnectionId */
    NetLib_Op_Broadcast = 2, /* queue the payload for each of the receivers, in their order */
    NetLib_Op_Disconnect = 3 /* send what is queued for ConnectionId, then close it */
};

typedef struct NetLib_Op {
    NetLib_ConnectionId ConnectionId; /* Send, Disconnect */
    uint32_t PayloadOffset;           /* Send, Broadcast: bytes into the payload */
    uint32_t PayloadSize;             /* Send, Broadcast: bytes, 1 to ConnectionMaxSendBufferSize */
    uint32_t ReceiverOffset;          /* Broadcast: elements into the receivers */
    uint32_t ReceiverCount;           /* Broadcast: elements */
    uint32_t Type;                    /* NetLib_Op_Send, _Broadcast, _Disconnect */
    uint32_t Reserved;                /* 0 */
} NetLib_Op;

/* Counters since NetLib_Start, and gauges (marked so). Each is exact on its own; together they are no snapshot. */
typedef struct NetLib_Stats {
    uint32_t StructSize; /* sizeof(NetLib_Stats) */
    uint32_t Reserved;
    uint64_t ConnectionsCurrent;       /* gauge: slots in use */
    uint64_t ConnectionsAccepted;      /* connections that logic was, or will be, told of; one with a PROXY header
                                          counts when that is complete, and never if it ends before */
    uint64_t ConnectionsRefused;       /* closed at once because MaxConnectionCount was reached */
    uint64_t ConnectionsRefusedAtStop; /* closed at once because the server was stopping, or accepted
                                          no more */
    uint64_t AcceptErrors;             /* accepts that the system failed, also one whose client had gone (Windows) */
    uint64_t PacketsReceived;          /* handed to the logic queue */
    uint64_t BytesReceived;            /* read from sockets, PROXY headers included */
    uint64_t PacketsSent;              /* payloads taken into a send ring; a broadcast counts once a receiver */
    uint64_t BytesSent;                /* written to sockets */
    uint64_t SendsDropped[NetLib_SendDrop_Count]; /* payloads that were not queued, by reason */
    uint64_t MessagesInUse;                       /* gauge: pool messages queued for logic or held by it */
    uint64_t MessagePoolExhausted;   /* times that reading paused because the pool, reserve included, was empty */
    uint64_t MessageReserveUsed;     /* times that the reserve (ExtraMessagePoolCount) was begun */
    uint64_t ReceivesPaused;         /* times that reading paused because logic still held a connection's whole ring */
    uint64_t ReceivesThrottled;      /* times that reading paused because a client exceeded MaxPacketsPerSecond or
                                       MaxBytesPerSecond */
    uint64_t CloseTimeouts;          /* connections cut off while sending what was queued: CloseTimeoutMilliseconds */
    uint64_t BytesDiscardedOnClose;  /* queued for sending and not sent when the connection ended */
    uint64_t BytesReceivedDiscarded; /* received and never handed to logic: an unfinished packet, a PROXY header that
                                        was not valid, or what came when nothing more was wanted */
    uint64_t SendBufferHighWater;    /* the most bytes that were seen waiting for one connection */
    uint64_t Closed[NetLib_CloseReason_Count]; /* connections closed, by reason; also those that logic was never told
                                                  of, see ConnectionsAccepted */
} NetLib_Stats;

/* The ABI version that the library was built with. A caller built for another version must not go on. */
NETLIB_API uint32_t NetLib_AbiVersion(void) NETLIB_NOEXCEPT;

/* Name of the I/O backend that the server runs on, or that it ran on last: "iocp", "epoll", "io_uring"; "none" before
 * the first start. Static memory. */
NETLIB_API const char* NetLib_BackendName(NetLib_Server* server) NETLIB_NOEXCEPT;

/* The meaning of a result in English. Static memory; never null, also for unknown numbers. */
NETLIB_API const char* NetLib_ResultText(NetLib_Result result) NETLIB_NOEXCEPT;

/* Makes a server that is not running. Null when out of memory. The caller ends it with NetLib_Destroy. */
NETLIB_API NetLib_Server* NetLib_Create(void) NETLIB_NOEXCEPT;

/* Stops the server if it runs (with no time to send what is queued) and frees it. Null is ignored. */
NETLIB_API void NetLib_Destroy(NetLib_Server* server) NETLIB_NOEXCEPT;

/*
 * Writes the default of every field: port 11021, 1 I/O thread, the best I/O backend, packets up to 1,024 bytes, 1,000 connections, 16 KiB
 * receive and 256 KiB send rings, 65,536 + 8,192 messages, 5 s to close, keepalive 60/10/3 s, no
 * timeouts of its own, no rate limit (a burst of 250 ms if there is one), no log. Does nothing if config is null.
 */
NETLIB_API void NetLib_DefaultConfig(NetLib_Config* config) NETLIB_NOEXCEPT;

/*
 * Starts listening, the I/O threads and the pre-created pools. On failure nothing is left running, and a sentence
 * that names the field or the system's reason is written to error (terminated, cut to errorSize bytes; error may be
 * null when errorSize is 0). A server that was stopped can be started again.
 */
NETLIB_API NetLib_Result NetLib_Start(NetLib_Server* server, const NetLib_Config* config, char* error,
                                      uint32_t errorSize) NETLIB_NOEXCEPT;

/* The port that the server listens on (host byte order), 0 if it does not run. */
NETLIB_API uint16_t NetLib_GetPort(NetLib_Server* server) NETLIB_NOEXCEPT;

/*
 * Takes up to capacity messages, waiting up to waitMilliseconds for the first (0: do not wait, NETLIB_WAIT_INFINITE:
 * until there is one), and writes how many there are to count.
 *
 * Payloads are not copied: Data points into the core's receive ring and stays valid and unchanged until the caller
 * gives the batch back, which the next NetLib_Poll, NetLib_GetNetworkMessage, NetLib_Release or NetLib_Stop does.
 *
 * With WorkThreadCount 0 this call also does the I/O: it accepts, receives, sends what was submitted, and keeps the
 * timeouts. That saves the hand-over from thread to thread and back, which costs more than a small message itself; while
 * logic is busy the system buffers for it. Such a server does nothing between two polls, so logic that may take long
 * is better served by I/O threads.
 *
 * Success with count 0: nothing came in time, or NetLib_WakePoll was called. NetLib_Result_Stopped: the server is
 * stopping and every event was delivered. NetLib_Result_NotStarted, _Busy, _InvalidArgument: nothing was taken.
 */
NETLIB_API NetLib_Result NetLib_Poll(NetLib_Server* server, NetLib_Message* messages, uint32_t capacity,
                                     int32_t waitMilliseconds, uint32_t* count) NETLIB_NOEXCEPT;

/* Gives back everything that the last NetLib_Poll returned, without taking more. Logic thread only. */
NETLIB_API NetLib_Result NetLib_Release(NetLib_Server* server) NETLIB_NOEXCEPT;

/* Makes a NetLib_Poll or NetLib_GetNetworkMessage that waits, or else the next one, return without a message. */
NETLIB_API NetLib_Result NetLib_WakePoll(NetLib_Server* server) NETLIB_NOEXCEPT;

/*
 * Carries out count operations in order. payload and receivers are read during the call only. Every operation is
 * checked first; if one is malformed, NetLib_Result_InvalidArgument is returned and none is carried out.
 *
 * A payload is queued whole or not at all. For a connection that has gone or is closing it is dropped and counted. If
 * it does not fit a send ring, that connection is closed (NetLib_CloseReason_SendBufferFull); others are not touched.
 * Payloads reach a connection in the order in which they were submitted. Calls from several threads are serialised.
 */
NETLIB_API NetLib_Result NetLib_Submit(NetLib_Server* server, const NetLib_Op* ops, uint32_t count,
                                       const uint8_t* payload, uint32_t payloadSize,
                                       const NetLib_ConnectionId* receivers, uint32_t receiverCount) NETLIB_NOEXCEPT;

/*
 * The original library's single-message pair, for ports of existing code: one message a call, its payload copied.
 *
 * GetNetworkMessage writes to *msgOperationType a NetLib_MessageType, to *connectionId the connection, and copies the
 * payload (see NetLib_MessageType) into buffer, its length into *copySize. Wait as in NetLib_Poll.
 * NetLib_Result_NoMessage: the wait ended without one. NetLib_Result_BufferTooSmall: the message stays queued and
 * *copySize is the size that it needs. Success always comes with a message.
 * The reason of a Close is not told here; NetLib_Poll does.
 */
NETLIB_API NetLib_Result NetLib_GetNetworkMessage(NetLib_Server* server, int8_t* msgOperationType,
                                                  NetLib_ConnectionId* connectionId, char* buffer, uint32_t bufferSize,
                                                  uint32_t* copySize, int32_t waitMilliseconds) NETLIB_NOEXCEPT;

/*
 * Queues one packet for one connection. packet is read during the call only. 64 (not connected) and 65 (its send ring
 * was full, so it is being closed) are the original's numbers.
 */
NETLIB_API NetLib_Result NetLib_SendPacket(NetLib_Server* server, NetLib_ConnectionId connectionId, const char* packet,
                                           uint32_t packetSize) NETLIB_NOEXCEPT;

/* Writes the counters. stats->StructSize must be set. Works also on a stopped server, which keeps its last figures. */
NETLIB_API NetLib_Result NetLib_GetStats(NetLib_Server* server, NetLib_Stats* stats) NETLIB_NOEXCEPT;

/*
 * Holds every connection, also those that are there, to other limits from some moment soon after on. If a timeout
 * changes, silence counts anew from that moment, and if the rate does, what a client has used of it. NetLib_Result_InvalidArgument, and nothing changes, if a
 * field is out of its range; then a sentence is written to error as for NetLib_Start. NetLib_Result_NotStarted if the
 * server does not run. Any thread; of several calls the last one holds.
 */
NETLIB_API NetLib_Result NetLib_SetLimits(NetLib_Server* server, const NetLib_Limits* limits, char* error,
                                          uint32_t errorSize) NETLIB_NOEXCEPT;

/*
 * Changes MinLogLevel while the server runs. NetLib_Result_InvalidArgument if minLevel is none; NetLib_Result_NotStarted
 * if the server does not run. Any thread.
 */
NETLIB_API NetLib_Result NetLib_SetLogLevel(NetLib_Server* server, int32_t minLevel) NETLIB_NOEXCEPT;

/*
 * Stops listening, soon after it returns, and leaves the connections that are there alone: so a server empties while
 * its clients go on. Who connects later is refused by the system; who was on the way is closed and counted in
 * ConnectionsRefusedAtStop. NetLib_GetPort still tells the port. Only a new start listens again. Called again it does
 * nothing. Any thread. NetLib_Result_NotStarted if the server does not run.
 */
NETLIB_API NetLib_Result NetLib_StopAccepting(NetLib_Server* server) NETLIB_NOEXCEPT;

/*
 * Begins an orderly stop and returns at once: no more connections, no more reading. Logic goes on polling; it receives
 * every packet that had come in whole, then a Close (ServerStop) a connection, then NetLib_Result_Stopped. What it
 * sends meanwhile is still sent. NetLib_Stop ends it.
 */
NETLIB_API NetLib_Result NetLib_BeginStop(NetLib_Server* server) NETLIB_NOEXCEPT;

/*
 * Stops the server from any state: what is queued in send rings gets up to drainMilliseconds (0 to 600,000) to be
 * sent, and clients up to 1 s of that to end their side; then every connection is closed, every thread joined and all
 * memory freed. Events that logic has not taken are dropped: call NetLib_BeginStop and poll until
 * NetLib_Result_Stopped first to lose none. A NetLib_Poll that waits on another thread returns NetLib_Result_Stopped;
 * payloads that logic still holds become invalid. Not to be called from the log callback. NetLib_Result_NotStarted if
 * the server does not run.
 *
 * With WorkThreadCount 0 and io_uring, the kernel may interrupt (EINTR) one later system call of each thread that has
 * polled: it does so when a ring ends.
 */
NETLIB_API NetLib_Result NetLib_Stop(NetLib_Server* server, int32_t drainMilliseconds) NETLIB_NOEXCEPT;

/*
 * From now on the first unhandled fault in the core (a bad access, a stack overflow, an abort) writes a file to folder
 * (UTF-8), which is made if it is missing: IocpNetLib-YYYYMMDD-HHMMSS-PID, in UTC, with .dmp for a minidump on Windows,
 * with .txt for registers, a backtrace with function names and the memory map on Linux. Then happens what would have
 * happened without it: the handlers that were there before run, and the system makes its own dump. A fault is the
 * core's if it happened in its code, on one of its threads, or in code that it had called; all others go to the earlier
 * handlers untouched, and so does a signal that was sent from outside.
 *
 * For the whole process, whatever servers it has, and none is needed. Called again it changes the folder. Whether the
 * folder can be made and written to is found out here: NetLib_Result_FailMiniDump, with a sentence in error as for
 * NetLib_Start, if it cannot; a folder that was made for that is removed again, so that there is one only after a
 * crash. The library stays loaded until the process ends. Who installs handlers of his own (a language runtime does)
 * does so before.
 */
NETLIB_API NetLib_Result NetLib_EnableMiniDump(const char* folder, char* error, uint32_t errorSize) NETLIB_NOEXCEPT;

/* Ends that: faults go to the earlier handlers only. Nothing happens if it was not enabled. */
NETLIB_API void NetLib_DisableMiniDump(void) NETLIB_NOEXCEPT;

#if defined(__cplusplus)
}
#endif

#endif /* IOCPNETLIB_H */
