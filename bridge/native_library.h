// A native core loaded at run time: its functions, found by name. No import library is needed, so a DLL of any compiler
// serves a Go program linked by another one.
#ifndef BRIDGE_NATIVE_LIBRARY_H
#define BRIDGE_NATIVE_LIBRARY_H

#include <stddef.h>

#include "IocpNetLib.h"

typedef struct NativeLibrary {
    void* Handle;
    uint32_t (*AbiVersion)(void);
    const char* (*BackendName)(NetLib_Server*);
    NetLib_Server* (*Create)(void);
    void (*Destroy)(NetLib_Server*);
    void (*DefaultConfig)(NetLib_Config*);
    NetLib_Result (*Start)(NetLib_Server*, const NetLib_Config*, char*, uint32_t);
    uint16_t (*GetPort)(NetLib_Server*);
    NetLib_Result (*Poll)(NetLib_Server*, NetLib_Message*, uint32_t, int32_t, uint32_t*);
    NetLib_Result (*WakePoll)(NetLib_Server*);
    NetLib_Result (*Submit)(NetLib_Server*, const NetLib_Op*, uint32_t, const uint8_t*, uint32_t,
                            const NetLib_ConnectionId*, uint32_t);
    NetLib_Result (*GetStats)(NetLib_Server*, NetLib_Stats*);
    NetLib_Result (*SetLimits)(NetLib_Server*, const NetLib_Limits*, char*, uint32_t);
    NetLib_Result (*SetLogLevel)(NetLib_Server*, int32_t);
    NetLib_Result (*StopAccepting)(NetLib_Server*);
    NetLib_Result (*BeginStop)(NetLib_Server*);
    NetLib_Result (*Stop)(NetLib_Server*, int32_t);
    NetLib_Result (*EnableMiniDump)(const char*, char*, uint32_t);
} NativeLibrary;

// Loads the library at path (UTF-8) and finds its functions. Unload ends it. NULL, with a sentence in error, if that
// fails.
NativeLibrary* NativeLibrary_Load(const char* path, char* error, uint32_t errorSize);

// Unloads the library and frees the table. No function of it is running or will be called.
void NativeLibrary_Unload(NativeLibrary* library);

// Calls through the table: cgo cannot call a function pointer itself.
static inline uint32_t NativeLibrary_AbiVersion(const NativeLibrary* l) { return l->AbiVersion(); }
static inline const char* NativeLibrary_BackendName(const NativeLibrary* l, NetLib_Server* s)
{
    return l->BackendName(s);
}
static inline NetLib_Server* NativeLibrary_Create(const NativeLibrary* l) { return l->Create(); }
static inline void NativeLibrary_Destroy(const NativeLibrary* l, NetLib_Server* s) { l->Destroy(s); }
static inline void NativeLibrary_DefaultConfig(const NativeLibrary* l, NetLib_Config* c) { l->DefaultConfig(c); }
static inline NetLib_Result NativeLibrary_Start(const NativeLibrary* l, NetLib_Server* s, const NetLib_Config* c,
                                                char* error, uint32_t errorSize)
{
    return l->Start(s, c, error, errorSize);
}
static inline uint16_t NativeLibrary_GetPort(const NativeLibrary* l, NetLib_Server* s) { return l->GetPort(s); }
// Returned by value: a place for it would be memory of Go, allocated in every call.
typedef struct NativePoll {
    NetLib_Result Result;
    uint32_t Count;
} NativePoll;
static inline NativePoll NativeLibrary_Poll(const NativeLibrary* l, NetLib_Server* s, NetLib_Message* messages,
                                            uint32_t capacity, int32_t wait)
{
    NativePoll poll = {0, 0};
    poll.Result = l->Poll(s, messages, capacity, wait, &poll.Count);
    return poll;
}
static inline NetLib_Result NativeLibrary_WakePoll(const NativeLibrary* l, NetLib_Server* s) { return l->WakePoll(s); }
static inline NetLib_Result NativeLibrary_Submit(const NativeLibrary* l, NetLib_Server* s, const void* ops,
                                                 uint32_t count, const void* payload, uint32_t payloadSize,
                                                 const void* receivers, uint32_t receiverCount)
{
    return l->Submit(s, (const NetLib_Op*)ops, count, (const uint8_t*)payload, payloadSize,
                     (const NetLib_ConnectionId*)receivers, receiverCount);
}
static inline NetLib_Result NativeLibrary_GetStats(const NativeLibrary* l, NetLib_Server* s, NetLib_Stats* stats)
{
    return l->GetStats(s, stats);
}
// What would be wrong with limits is found before they come here, so no sentence is asked for.
static inline NetLib_Result NativeLibrary_SetLimits(const NativeLibrary* l, NetLib_Server* s, const NetLib_Limits* limits)
{
    return l->SetLimits(s, limits, NULL, 0);
}
static inline NetLib_Result NativeLibrary_SetLogLevel(const NativeLibrary* l, NetLib_Server* s, int32_t level)
{
    return l->SetLogLevel(s, level);
}
static inline NetLib_Result NativeLibrary_StopAccepting(const NativeLibrary* l, NetLib_Server* s)
{
    return l->StopAccepting(s);
}
static inline NetLib_Result NativeLibrary_BeginStop(const NativeLibrary* l, NetLib_Server* s)
{
    return l->BeginStop(s);
}
static inline NetLib_Result NativeLibrary_Stop(const NativeLibrary* l, NetLib_Server* s, int32_t drain)
{
    return l->Stop(s, drain);
}
static inline NetLib_Result NativeLibrary_EnableMiniDump(const NativeLibrary* l, const char* folder, char* error,
                                                         uint32_t errorSize)
{
    return l->EnableMiniDump(folder, error, errorSize);
}

// The NetLib_LogFunc that hands a line to Go; user is a handle of go-pointer.
void NativeLibrary_Log(void* user, int32_t level, NetLib_ConnectionId connection, const char* text, uint32_t length);

#endif
