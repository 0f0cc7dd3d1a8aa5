// Function names for the addresses of a backtrace on Linux, from the symbol tables of ELF files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace NetLib {

// An ELF file of this machine's kind, mapped. Nothing here allocates, takes a lock or throws, and there is no
// destructor: a crash handler uses it, and may be thrown out of it by a second fault.
class ElfFile {
public:
    struct Symbol {
        const char* Name; // in the mapping, terminated
        uint64_t Address; // as the file has it
        uint64_t Size;
    };

    // False if there is no such file, it is no ELF file, or it is not the file with that inode (0: any).
    [[nodiscard]] bool Open(const char* path, uint64_t inode) noexcept;
    void Close() noexcept;

    // The address that the file gives to the byte at offset. False if that byte is not loaded.
    [[nodiscard]] bool AddressOf(uint64_t offset, uint64_t& address) const noexcept;
    // The function at address.
    [[nodiscard]] bool Find(uint64_t address, Symbol& found) const noexcept;
    // Calls visit for every function.
    template <class Visitor>
    void ForEachFunction(Visitor visit) const;

private:
    struct Table {
        uint64_t Begin, Count, Text, TextSize;
    };
    [[nodiscard]] bool FindTable(uint32_t type, Table& table) const noexcept;
    [[nodiscard]] bool SymbolAt(const Table& table, uint64_t index, Symbol& symbol) const noexcept;
    template <class T>
    [[nodiscard]] const T* At(uint64_t offset) const noexcept;

    const std::byte* m_Data = nullptr;
    uint64_t m_Size = 0;
};

// The functions of one file, read and demangled beforehand: a crash handler could do neither.
class FunctionNames {
public:
    struct Function {
        uint64_t Address;
        uint64_t Size;
        std::string Name;
    };

    FunctionNames() = default;
    explicit FunctionNames(const char* path); // empty if the file cannot be read
    // Null if none is there. It allocates nothing.
    [[nodiscard]] const Function* Find(uint64_t address) const noexcept;

private:
    std::vector<Function> m_Functions; // by address
};

} // namespace NetLib
