//go:build cgo

#include "native_library.h"

#include <stdio.h>
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

int NativeLibrary_Load(NativeLibrary* library, const char* path, char* error, uint32_t errorSize)
{
    memset(library, 0, sizeof(*library));
    library->Handle = OpenLibrary(path, error, errorSize);
    if (library->Handle == NULL)
        return 0;
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
        {"NetLib_BeginStop", &library->BeginStop},
        {"NetLib_Stop", &library->Stop},
        {"NetLib_EnableMiniDump", &library->EnableMiniDump},
    };
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); ++i) {
        void* function = FindFunction(library->Handle, functions[i].Name);
        if (function == NULL) {
            snprintf(error, errorSize, "it is no IocpNetLib core: it has no function %s", functions[i].Name);
            NativeLibrary_Unload(library);
            return 0;
        }
        // Data and function pointers have one size on every system that has dlsym or GetProcAddress.
        memcpy(functions[i].Slot, &function, sizeof(function));
    }
    return 1;
}

void NativeLibrary_Unload(NativeLibrary* library)
{
    if (library->Handle != NULL)
        CloseLibrary(library->Handle);
    memset(library, 0, sizeof(*library));
}
