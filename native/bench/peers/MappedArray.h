// An array whose memory the system gives page by page, as elements are first written.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <system_error>
#include <type_traits>

namespace Peers {

// Size elements of T that are all zero bytes, of which only those that were touched take memory. That lets a server
// index its connections by descriptor without paying for the ones that do not exist.
template <class T>
class MappedArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    // Throws std::system_error if there is not so much address space.
    explicit MappedArray(std::size_t size) : m_Bytes(size * sizeof(T))
    {
        void* const memory =
            mmap(nullptr, m_Bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            throw std::system_error(errno, std::generic_category(), "mmap");
        }
        m_Items = static_cast<T*>(memory);
    }
    ~MappedArray() { munmap(m_Items, m_Bytes); }
    MappedArray(const MappedArray&) = delete;
    MappedArray& operator=(const MappedArray&) = delete;

    [[nodiscard]] T& operator[](std::size_t index) noexcept { return m_Items[index]; }
    [[nodiscard]] std::size_t Size() const noexcept { return m_Bytes / sizeof(T); }

private:
    T* m_Items = nullptr;
    std::size_t m_Bytes;
};

} // namespace Peers
