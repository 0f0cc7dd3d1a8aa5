// SendRingBuffer beside a naive model: a stream, and how much of it was written and sent. The input is a program: the
// ring's capacity, then steps of logic, which writes, and of the I/O thread, which sends.
#include <memory>

#include "Fuzz.h"
#include "SendRingBuffer.h"

namespace NetLib::Fuzz {
namespace {

class RingAndModel {
public:
    explicit RingAndModel(Input& input) : m_Input(input)
    {
        // Small rings, which wrap after a few bytes, are where the arithmetic is; the others are as large as
        // goes quickly.
        const uint8_t sizes = m_Input.Take<uint8_t>();
        m_Capacity = sizes < 200 ? 5 + sizes : sizes < 255 ? m_Input.Between(5, 16384) : m_Input.Between(5, MaxRing);
        // A ring goes round some times, and no input takes long.
        m_MaxStream = std::min(2048 + 4 * m_Capacity, MaxStream);
        m_Ring.Create(m_Capacity);
        m_Ring.Lend(std::make_unique<std::byte[]>(m_Capacity), m_Input.Take<uint8_t>() % m_Capacity);
    }

    void Run()
    {
        while (!m_Input.IsEmpty())
            Step();
        // What waits is sent to the end.
        while (m_Read < m_Written)
            SendSome(m_Capacity, m_Capacity);
        Require(m_Ring.Size() == 0, "nothing waits when everything is sent");
    }

private:
    [[nodiscard]] uint32_t Room() const { return m_Capacity - static_cast<uint32_t>(m_Written - m_Read); }

    void Step()
    {
        switch (m_Input.Take<uint8_t>() % 10) {
        case 0:
        case 1: Write(m_Input.Take<uint8_t>()); break;
        case 2: Write(m_Input.Take<uint16_t>()); break;
        case 3: Write(Room()); break;
        case 4: Write(Room() + 1); break;
        case 5: SendSome(m_Input.Take<uint8_t>(), m_Input.Take<uint8_t>()); break;
        case 6: SendSome(m_Input.Take<uint16_t>(), m_Input.Take<uint16_t>()); break;
        // The system takes all it was offered, or, in case 8, all but one byte.
        case 7: SendSome(m_Capacity, m_Capacity); break;
        case 8: SendSome(m_Capacity, std::max(m_Capacity - Room(), 1u) - 1); break;
        default: Reuse(); break;
        }
    }

    void Write(uint32_t size)
    {
        size = std::max(size, 1u); // no payload is empty: see IsWellFormed
        if (m_Written + size > m_MaxStream)
            return;
        // Of exactly this size, so that a byte read behind it shows.
        const auto data = std::make_unique_for_overwrite<std::byte[]>(size);
        std::memcpy(data.get(), StreamBytes(m_Written, size).data(), size);
        const bool fits = size <= Room();
        Require(m_Ring.AddSendData({data.get(), size}) == fits, "data goes in if there is room for all of it");
        if (fits)
            m_Written += size;
        Check();
    }

    void SendSome(uint32_t wanted, size_t most)
    {
        const auto pieces = m_Ring.GetSendAbleData(wanted);
        const size_t waiting = m_Written - m_Read;
        const size_t size = pieces[0].size() + pieces[1].size();
        Require(size == std::min<size_t>(wanted, waiting), "all that waits is offered, but no more than wanted");
        Require(!pieces[0].empty() || pieces[1].empty(), "the first piece is the first to send");
        const auto expected = StreamBytes(m_Read, size);
        Require(IsSame(pieces[0], expected.first(pieces[0].size())), "the first piece is what was written");
        Require(IsSame(pieces[1], expected.subspan(pieces[0].size())), "the second piece is what follows it");
        const size_t sent = std::min(most, size);
        m_Ring.SendCompleted(static_cast<uint32_t>(sent));
        m_Read += sent;
        Check();
    }

    // The slot gets another client. What was not sent is gone.
    void Reuse()
    {
        auto memory = m_Ring.Reclaim();
        Require(m_Ring.Size() == 0, "what was not sent went with the memory");
        m_Ring.Create(m_Capacity);
        m_Ring.Lend(std::move(memory), m_Input.Take<uint8_t>() % m_Capacity);
        m_Read = m_Written;
        Check();
    }

    void Check() const { Require(m_Ring.Size() == m_Written - m_Read, "Size is what waits"); }

    Input& m_Input;
    SendRingBuffer m_Ring;
    uint32_t m_Capacity = 0;
    size_t m_MaxStream = 0;
    size_t m_Written = 0; // bytes of the stream that went in
    size_t m_Read = 0;    // the part of them that was sent, or dropped with its client
};

} // namespace
} // namespace NetLib::Fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    NetLib::Fuzz::Input input(data, size);
    NetLib::Fuzz::RingAndModel(input).Run();
    return 0;
}
