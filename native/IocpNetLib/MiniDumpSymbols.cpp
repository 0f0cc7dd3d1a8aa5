#include "MiniDumpSymbols.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace NetLib {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Section = ElfW(Shdr);
using RawSymbol = ElfW(Sym);

} // namespace

// What is at offset; null if that is not wholly in the file.
template <class T>
const T* ElfFile::At(uint64_t offset) const noexcept
{
    if (offset > m_Size || m_Size - offset < sizeof(T) || offset % alignof(T) != 0)
        return nullptr;
    return reinterpret_cast<const T*>(m_Data + offset);
}

bool ElfFile::Open(const char* path, uint64_t inode) noexcept
{
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    struct stat status = {};
    void* memory = MAP_FAILED;
    if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        (inode == 0 || inode == status.st_ino))
        memory = ::mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
    ::close(file);
    if (memory == MAP_FAILED)
        return false;
    m_Data = static_cast<const std::byte*>(memory);
    m_Size = static_cast<uint64_t>(status.st_size);
    const auto* header = At<Header>(0);
    const int native = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
    if (header != nullptr && std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
        header->e_ident[EI_CLASS] == native && header->e_phentsize == sizeof(Segment) &&
        header->e_shentsize == sizeof(Section))
        return true;
    Close();
    return false;
}

void ElfFile::Close() noexcept
{
    ::munmap(const_cast<std::byte*>(m_Data), m_Size);
    m_Data = nullptr;
    m_Size = 0;
}

bool ElfFile::AddressOf(uint64_t offset, uint64_t& address) const noexcept
{
    const auto* header = At<Header>(0);
    for (uint64_t i = 0; i < header->e_phnum; ++i) {
        const auto* segment = At<Segment>(header->e_phoff + i * sizeof(Segment));
        if (segment != nullptr && segment->p_type == PT_LOAD && offset >= segment->p_offset &&
            offset - segment->p_offset < segment->p_filesz) {
            address = offset - segment->p_offset + segment->p_vaddr;
            return true;
        }
    }
    return false;
}

bool ElfFile::FindTable(uint32_t type, Table& table) const noexcept
{
    const auto* header = At<Header>(0);
    for (uint64_t i = 0; i < header->e_shnum; ++i) {
        const auto* section = At<Section>(header->e_shoff + i * sizeof(Section));
        if (section == nullptr || section->sh_type != type || section->sh_link >= header->e_shnum)
            continue;
        const auto* text = At<Section>(header->e_shoff + section->sh_link * sizeof(Section));
        // The last byte of the names ends the last of them.
        if (text == nullptr || text->sh_size == 0 || text->sh_offset > m_Size ||
            text->sh_size > m_Size - text->sh_offset || m_Data[text->sh_offset + text->sh_size - 1] != std::byte{0})
            continue;
        table = {section->sh_offset, section->sh_size / sizeof(RawSymbol), text->sh_offset, text->sh_size};
        return true;
    }
    return false;
}

bool ElfFile::SymbolAt(const Table& table, uint64_t index, Symbol& symbol) const noexcept
{
    const auto* raw = At<RawSymbol>(table.Begin + index * sizeof(RawSymbol));
    if (raw == nullptr || (raw->st_info & 0xF) != STT_FUNC || raw->st_shndx == SHN_UNDEF ||
        raw->st_name >= table.TextSize)
        return false;
    symbol = {reinterpret_cast<const char*>(m_Data + table.Text + raw->st_name), raw->st_value, raw->st_size};
    return true;
}

template <class Visitor>
void ElfFile::ForEachFunction(Visitor visit) const
{
    Table table{};
    // The full table, unless the file was stripped; what a library exports is always there.
    if (!FindTable(SHT_SYMTAB, table) && !FindTable(SHT_DYNSYM, table))
        return;
    Symbol symbol{};
    for (uint64_t i = 0; i < table.Count; ++i) {
        if (SymbolAt(table, i, symbol))
            visit(symbol);
    }
}

bool ElfFile::Find(uint64_t address, Symbol& found) const noexcept
{
    bool isFound = false;
    ForEachFunction([&](const Symbol& symbol) {
        if (!isFound && address >= symbol.Address && address - symbol.Address < symbol.Size) {
            found = symbol;
            isFound = true;
        }
    });
    return isFound;
}

FunctionNames::FunctionNames(const char* path)
{
    ElfFile file;
    if (!file.Open(path, 0))
        return;
    file.ForEachFunction([this](const ElfFile::Symbol& symbol) {
        int status = 0;
        const std::unique_ptr<char, decltype(&std::free)> plain(
            abi::__cxa_demangle(symbol.Name, nullptr, nullptr, &status), &std::free);
        m_Functions.push_back({symbol.Address, symbol.Size, plain != nullptr ? plain.get() : symbol.Name});
    });
    file.Close();
    std::ranges::sort(m_Functions, {}, &Function::Address);
}

const FunctionNames::Function* FunctionNames::Find(uint64_t address) const noexcept
{
    auto next = std::ranges::upper_bound(m_Functions, address, {}, &Function::Address);
    if (next == m_Functions.begin())
        return nullptr;
    const Function& function = *--next;
    return address - function.Address < function.Size ? &function : nullptr;
}

} // namespace NetLib
