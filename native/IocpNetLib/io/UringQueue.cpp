#include "io/UringQueue.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace NetLib {
namespace {

// Newer than the headers of Debian 12 (Linux 6.1); the values are those of include/uapi/linux/io_uring.h in Linux 6.12.
constexpr uint16_t BufferRingIncremental = 2; // IOU_PBUF_RING_INC
constexpr uint32_t BufferHasMore = 1u << 4;   // IORING_CQE_F_BUF_MORE

// Without increments a receive takes a whole buffer, however little comes.
constexpr uint32_t PlainBuffers = 128;
constexpr uint32_t PlainBufferSize = 2048;
// With them memory is used densely, so few large buffers stay in the cache and take long receives in one piece.
constexpr uint32_t IncrementalBuffers = 16;
constexpr uint32_t IncrementalBufferSize = 16 << 10;
// Together 256 KiB either way: what all clients can make a turn take; whoever gets no buffer waits for the next one.

// Not std::atomic_ref, which Clang's libc++ has only since 19.
uint32_t LoadAcquire(const uint32_t* value) noexcept { return __atomic_load_n(value, __ATOMIC_ACQUIRE); }

template <class T>
void StoreRelease(T* target, T value) noexcept
{
    __atomic_store_n(target, value, __ATOMIC_RELEASE);
}

} // namespace

UniqueMapping::UniqueMapping(size_t size, int ring, int64_t offset) noexcept
{
    const int flags = ring < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED | MAP_POPULATE;
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, ring, offset);
    if (memory != MAP_FAILED)
        m_Memory = {static_cast<std::byte*>(memory), size};
}

UniqueMapping::~UniqueMapping()
{
    if (IsMapped())
        (void)::munmap(m_Memory.data(), m_Memory.size());
}

std::expected<UringQueue, std::string> UringQueue::Create(uint32_t entries)
{
    UringQueue queue;
    io_uring_params params{};
    // COOP_TASKRUN: completions are worked on when the thread enters the kernel anyway, and do not interrupt it. Not
    // SINGLE_ISSUER, since the thread that ends a server need not be the one that served it.
    params.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = 4 * entries;
    queue.m_Ring = UniqueSocket(static_cast<int>(::syscall(SYS_io_uring_setup, entries, &params)));
    if (!queue.m_Ring.IsOpen())
        return CallFailure("io_uring_setup", errno);
    constexpr uint32_t Needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |
                                IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;
    if ((params.features & Needed) != Needed)
        return std::unexpected("this kernel's io_uring lacks features (Linux 6.1 has all that is needed)");
    const int ring = queue.m_Ring.Get();
    const size_t size = std::max<size_t>(params.sq_off.array + params.sq_entries * sizeof(uint32_t),
                                         params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
    queue.m_Rings = UniqueMapping(size, ring, IORING_OFF_SQ_RING);
    queue.m_Entries = UniqueMapping(params.sq_entries * sizeof(io_uring_sqe), ring, IORING_OFF_SQES);
    if (!queue.m_Rings.IsMapped() || !queue.m_Entries.IsMapped())
        return CallFailure("mmap of an io_uring", errno);
    const UniqueMapping& rings = queue.m_Rings;
    queue.m_SqHead = rings.At<uint32_t>(params.sq_off.head);
    queue.m_SqTail = rings.At<uint32_t>(params.sq_off.tail);
    queue.m_CqHead = rings.At<uint32_t>(params.cq_off.head);
    queue.m_CqTail = rings.At<uint32_t>(params.cq_off.tail);
    queue.m_Completions = rings.At<io_uring_cqe>(params.cq_off.cqes);
    queue.m_SqMask = params.sq_entries - 1;
    queue.m_CqMask = params.cq_entries - 1;
    // The indirection is not used: entry i is at place i for good.
    auto* const places = rings.At<uint32_t>(params.sq_off.array);
    for (uint32_t i = 0; i < params.sq_entries; ++i)
        places[i] = i;
    return queue;
}

uint32_t UringQueue::Taken() const noexcept { return LoadAcquire(m_SqHead); }

bool UringQueue::Reserve(uint32_t entries) noexcept
{
    const uint32_t size = m_SqMask + 1;
    if (m_Tail - Taken() + entries > size)
        (void)Call(0, 0);
    return m_Tail - Taken() + entries <= size;
}

io_uring_sqe* UringQueue::Next() noexcept
{
    if (!Reserve(1))
        return nullptr;
    io_uring_sqe* const entry = m_Entries.At<io_uring_sqe>(0) + (m_Tail++ & m_SqMask);
    std::memset(entry, 0, sizeof(*entry));
    return entry;
}

void UringQueue::Enter(int milliseconds) noexcept
{
    // What the kernel kept because the completion ring was full comes with any call that asks for completions.
    const bool mayWait = milliseconds != 0 && Completions() == 0;
    (void)Call(mayWait ? 1 : 0, mayWait ? milliseconds : 0);
}

int UringQueue::Call(uint32_t wanted, int milliseconds) noexcept
{
    StoreRelease(m_SqTail, m_Tail);
    __kernel_timespec time{};
    io_uring_getevents_arg argument{};
    if (milliseconds > 0) {
        time.tv_sec = milliseconds / 1000;
        time.tv_nsec = (milliseconds % 1000) * 1'000'000ll;
        argument.ts = reinterpret_cast<uintptr_t>(&time);
    }
    // Errors need nothing: EINTR and ETIME end a wait early; EBUSY and EAGAIN leave entries for the next call.
    return static_cast<int>(::syscall(SYS_io_uring_enter, m_Ring.Get(), m_Tail - Taken(), wanted,
                                      IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof(argument)));
}

uint32_t UringQueue::Completions() const noexcept
{
    return LoadAcquire(m_CqTail) - *m_CqHead; // only this side writes the head
}

std::optional<UringCompletion> UringQueue::Pop() noexcept
{
    if (Completions() == 0)
        return std::nullopt;
    const uint32_t head = *m_CqHead;
    const io_uring_cqe& entry = m_Completions[head & m_CqMask];
    const UringCompletion completion{entry.user_data, entry.res, entry.flags};
    StoreRelease(m_CqHead, head + 1);
    return completion;
}

int UringQueue::Register(unsigned opcode, const void* argument, unsigned count) noexcept
{
    return static_cast<int>(::syscall(SYS_io_uring_register, m_Ring.Get(), opcode, argument, count));
}

std::expected<UringBuffers, std::string> UringBuffers::Create(UringQueue& queue)
{
    // Linux before 6.12 has no flags here and refuses them.
    for (const bool incremental : {true, false}) {
        UringBuffers buffers;
        const uint32_t count = incremental ? IncrementalBuffers : PlainBuffers;
        buffers.m_Size = incremental ? IncrementalBufferSize : PlainBufferSize;
        buffers.m_Mask = static_cast<uint16_t>(count - 1);
        buffers.m_Incremental = incremental;
        buffers.m_Used.assign(count, 0);
        buffers.m_Ring = UniqueMapping(count * sizeof(io_uring_buf), -1, 0);
        buffers.m_Memory = UniqueMapping(size_t{count} * buffers.m_Size, -1, 0);
        if (!buffers.m_Ring.IsMapped() || !buffers.m_Memory.IsMapped())
            return CallFailure("mmap", errno);
        io_uring_buf_reg registration{};
        registration.ring_addr = reinterpret_cast<uintptr_t>(buffers.m_Ring.Memory().data());
        registration.ring_entries = count;
        // The field behind bgid is called pad in Linux 6.1's header and flags in newer ones.
        const uint16_t flags = incremental ? BufferRingIncremental : 0;
        std::memcpy(reinterpret_cast<std::byte*>(&registration) + offsetof(io_uring_buf_reg, bgid) +
                        sizeof(registration.bgid),
                    &flags, sizeof(flags));
        if (queue.Register(IORING_REGISTER_PBUF_RING, &registration, 1) != 0) {
            if (incremental)
                continue;
            return CallFailure("io_uring_register of buffers", errno);
        }
        for (uint32_t id = 0; id < count; ++id)
            buffers.Give(static_cast<uint16_t>(id));
        return buffers;
    }
    return std::unexpected("io_uring takes no buffers");
}

void UringBuffers::Give(uint16_t id) noexcept
{
    // Not through io_uring_buf_ring: as C++ its flexible array begins 8 bytes late (Linux 6.1's header).
    auto* const entries = m_Ring.At<io_uring_buf>(0);
    io_uring_buf& entry = entries[m_Tail & m_Mask];
    entry.addr = reinterpret_cast<uintptr_t>(m_Memory.Memory().data() + size_t{id} * m_Size);
    entry.len = m_Size;
    entry.bid = id;
    // The tail of the ring lies in the reserved field of its first entry.
    StoreRelease(&entries[0].resv, ++m_Tail);
}

std::span<const std::byte> UringBuffers::Received(const UringCompletion& completion) const noexcept
{
    const auto id = static_cast<uint16_t>(completion.Flags >> IORING_CQE_BUFFER_SHIFT);
    const uint32_t begin = m_Incremental ? m_Used[id] : 0;
    return std::span<const std::byte>(m_Memory.Memory())
        .subspan(size_t{id} * m_Size + begin, static_cast<uint32_t>(completion.Result));
}

void UringBuffers::Recycle(const UringCompletion& completion) noexcept
{
    const auto id = static_cast<uint16_t>(completion.Flags >> IORING_CQE_BUFFER_SHIFT);
    if (m_Incremental && (completion.Flags & BufferHasMore) != 0) {
        m_Used[id] += static_cast<uint32_t>(std::max(completion.Result, 0));
        return;
    }
    m_Used[id] = 0;
    Give(id);
}

} // namespace NetLib
