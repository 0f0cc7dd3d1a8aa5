//go:build cgo

#include "native_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)

#include <windows.h>

static void* OpenLibrary(const char* path, char* error, uint32_t errorSize)
{
    wchar_t wide[32768]; // the longest path that Windows knows
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, 32768) == 0) {
        snprintf(error, errorSize, "the path is not valid UTF-8 or too long");
        return NULL;
    }
    HMODULE module = LoadLibraryW(wide);
    if (module == NULL)
        snprintf(error, errorSize, "LoadLibrary: error %lu", (unsigned long)GetLastError());
    return (void*)module;
}

static void* FindFunction(void* handle, const char* name) { return (void*)GetProcAddress((HMODULE)handle, name); }

static void CloseLibrary(void* handle) { FreeLibrary((HMODULE)handle); }

#else

#include <dlfcn.h>

static void* OpenLibrary(const char* path, char* error, uint32_t errorSize)
{
    void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        snprintf(error, errorSize, "dlopen: %s", dlerror());
    return handle;
}

static void* FindFunction(void* handle, const char* name) { return dlsym(handle, name); }

static void CloseLibrary(void* handle) { dlclose(handle); }

#endif

// Finds the functions of library. Returns 1, or 0 with a sentence in error.
static int FindFunctions(NativeLibrary* library, char* error, uint32_t errorSize)
{
    const struct {
        const char* Name;
        void* Slot;
    } functions[] = {
        {"NetLib_AbiVersion", &library->AbiVersion},
        {"NetLib_BackendName", &library->BackendName},
        {"NetLib_Create", &library->Create},
        {"NetLib_Destroy", &library->Destroy},
        {"NetLib_DefaultConfig", &library->DefaultConfig},
        {"NetLib_Start", &library->Start},
        {"NetLib_GetPort", &library->GetPort},
        {"NetLib_Poll", &library->Poll},
        {"NetLib_WakePoll", &library->WakePoll},
        {"NetLib_Submit", &library->Submit},
        {"NetLib_GetStats", &library->GetStats},
        {"NetLib_SetLimits", &library->SetLimits},
        {"NetLib_SetLogLevel", &library->SetLogLevel},
        {"NetLib_StopAccepting", &library->StopAccepting},
        {"NetLib_BeginStop", &library->BeginStop},
        {"NetLib_Stop", &library->Stop},
        {"NetLib_EnableMiniDump", &library->EnableMiniDump},
    };
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); ++i) {
        void* function = FindFunction(library->Handle, functions[i].Name);
        if (function == NULL) {
            snprintf(error, errorSize, "it is no IocpNetLib core: it has no function %s", functions[i].Name);
            return 0;
        }
        // Data and function pointers have one size on every system that has dlsym or GetProcAddress.
        memcpy(functions[i].Slot, &function, sizeof(function));
    }
    return 1;
}

NativeLibrary* NativeLibrary_Load(const char* path, char* error, uint32_t errorSize)
{
    NativeLibrary* library = calloc(1, sizeof(*library));
    if (library == NULL) {
        snprintf(error, errorSize, "out of memory");
        return NULL;
    }
    library->Handle = OpenLibrary(path, error, errorSize);
    if (library->Handle != NULL && FindFunctions(library, error, errorSize))
        return library;
    NativeLibrary_Unload(library);
    return NULL;
}

void NativeLibrary_Unload(NativeLibrary* library)
{
    if (library->Handle != NULL)
        CloseLibrary(library->Handle);
    free(library);
}
