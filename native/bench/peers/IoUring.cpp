#include "IoUring.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace Peers {

namespace {

[[noreturn]] void ThrowErrno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

io_uring_params RingParams(unsigned completions)
{
    io_uring_params params{};
    params.flags =
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
    params.cq_entries = completions;
    return params;
}

int Setup(unsigned submissions, io_uring_params& params)
{
    const long descriptor = syscall(SYS_io_uring_setup, submissions, &params);
    if (descriptor < 0) {
        ThrowErrno("io_uring_setup");
    }
    return static_cast<int>(descriptor);
}

std::size_t RingsSize(const io_uring_params& params)
{
    return std::max<std::size_t>(params.sq_off.array + params.sq_entries * sizeof(unsigned),
                                 params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
}

} // namespace

Mapping::Mapping(std::size_t size, int descriptor, std::int64_t offset) : m_Size(size)
{
    const int flags = descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    m_Memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_POPULATE, descriptor, offset);
    if (m_Memory == MAP_FAILED) {
        ThrowErrno("mmap");
    }
}

Mapping::~Mapping() { munmap(m_Memory, m_Size); }

IoUring::IoUring(unsigned submissions, unsigned completions)
    : m_Params(RingParams(completions)), m_Ring(Setup(submissions, m_Params)),
      m_Rings(RingsSize(m_Params), m_Ring.Get(), IORING_OFF_SQ_RING),
      m_EntryMemory(m_Params.sq_entries * sizeof(io_uring_sqe), m_Ring.Get(), IORING_OFF_SQES),
      m_Entries(m_EntryMemory.At<io_uring_sqe>(), m_Params.sq_entries),
      m_Completions(m_Rings.At<io_uring_cqe>(m_Params.cq_off.cqes), m_Params.cq_entries),
      m_SubmissionHead(m_Rings.At<unsigned>(m_Params.sq_off.head)),
      m_SubmissionTail(m_Rings.At<unsigned>(m_Params.sq_off.tail)),
      m_CompletionHead(m_Rings.At<unsigned>(m_Params.cq_off.head)),
      m_CompletionTail(m_Rings.At<unsigned>(m_Params.cq_off.tail)), m_CompletionMask(m_Params.cq_entries - 1)
{
    // Entries are used in order, so the array that the kernel reads their numbers from never changes.
    const std::span<unsigned> array(m_Rings.At<unsigned>(m_Params.sq_off.array), m_Params.sq_entries);
    for (unsigned i = 0; i < m_Params.sq_entries; ++i) {
        array[i] = i;
    }
    io_uring_rsrc_update update{};
    update.offset = ~0u; // any index
    update.data = static_cast<std::uint64_t>(m_Ring.Get());
    Register(IORING_REGISTER_RING_FDS, &update, 1, "IORING_REGISTER_RING_FDS");
    m_EnterIndex = update.offset;
}

void IoUring::Register(unsigned opcode, void* argument, unsigned count, const char* what)
{
    if (syscall(SYS_io_uring_register, m_Ring.Get(), opcode, argument, count) < 0) {
        ThrowErrno(what);
    }
}

io_uring_sqe& IoUring::Entry(std::uint8_t opcode, std::uint64_t userData)
{
    if (m_LocalTail - m_Submitted == m_Entries.size()) {
        Enter(false);
    }
    io_uring_sqe& entry = m_Entries[m_LocalTail & (m_Entries.size() - 1)];
    ++m_LocalTail;
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = opcode;
    entry.user_data = userData;
    return entry;
}

void IoUring::Enter(bool wait)
{
    std::atomic_ref(*m_SubmissionTail).store(m_LocalTail, std::memory_order_release);
    const unsigned flags = IORING_ENTER_REGISTERED_RING | (wait ? IORING_ENTER_GETEVENTS : 0);
    do {
        const long submitted =
            syscall(SYS_io_uring_enter, m_EnterIndex, m_LocalTail - m_Submitted, wait ? 1 : 0, flags, nullptr, 0);
        if (submitted < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY) {
            ThrowErrno("io_uring_enter");
        }
        m_Submitted = std::atomic_ref(*m_SubmissionHead).load(std::memory_order_acquire);
    } while (m_Submitted != m_LocalTail); // entries that stay behind may have memory that the caller is to reuse
}

ProvidedBuffers::ProvidedBuffers(IoUring& ring, unsigned count, unsigned size)
    : m_Mask(count - 1), m_Size(size), m_Memory(static_cast<std::size_t>(count) * size, -1, 0),
      m_RingMemory(count * sizeof(io_uring_buf), -1, 0), m_Ring(m_RingMemory.At<io_uring_buf>(), count)
{
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(m_Ring.data());
    registration.ring_entries = count;
    ring.Register(IORING_REGISTER_PBUF_RING, &registration, 1, "IORING_REGISTER_PBUF_RING");
    for (unsigned i = 0; i < count; ++i) {
        GiveBack(static_cast<std::uint16_t>(i));
    }
    Publish();
}

void ProvidedBuffers::GiveBack(std::uint16_t buffer) noexcept
{
    io_uring_buf& slot = m_Ring[m_Tail & m_Mask];
    slot.addr = reinterpret_cast<std::uint64_t>(m_Memory.At<std::byte>(static_cast<std::size_t>(buffer) * m_Size));
    slot.len = m_Size;
    slot.bid = buffer;
    ++m_Tail;
}

void ProvidedBuffers::Publish() noexcept
{
    // The ring's tail lies in the unused field of its first entry. The header's own type for that puts it elsewhere in
    // C++, where an empty struct is not 0 bytes long.
    std::atomic_ref(m_Ring[0].resv).store(m_Tail, std::memory_order_release);
}

} // namespace Peers
