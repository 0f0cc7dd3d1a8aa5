// A client's byte stream through NextFrame and RecvRingBuffer, as IOWorker uses them, beside a naive model: the whole
// stream in one buffer, and a splitter of its own. The input is a program: the sizes of the ring, then steps of the
// client, of the I/O thread and of logic in any order.
#include <deque>
#include <vector>

#include "Fuzz.h"
#include "PacketFraming.h"
#include "RecvRingBuffer.h"

namespace NetLib::Fuzz {
namespace {

constexpr uint32_t MaxReceive = 65535; // bytes asked for at once

class RingAndModel {
public:
    explicit RingAndModel(Input& input) : m_Input(input)
    {
        // Small rings, which wrap after a few bytes, are where the arithmetic is; the others are as large as
        // goes quickly.
        const uint8_t sizes = m_Input.Take<uint8_t>();
        if (sizes < 200) {
            m_MaxPacketSize = 5 + sizes % 60;
            m_Capacity = m_MaxPacketSize + m_Input.Take<uint8_t>() % 128;
        } else if (sizes < 254) {
            m_MaxPacketSize = m_Input.Between(5, 2048);
            m_Capacity = m_MaxPacketSize + m_Input.Between(0, 8192);
        } else {
            m_MaxPacketSize = m_Input.Between(5, 65535);
            m_Capacity = m_Input.Between(m_MaxPacketSize, MaxRing);
        }
        // A ring goes round some times, and no input takes long.
        m_MaxStream = std::min(2048 + 4 * m_Capacity, MaxStream);
        m_Ring.Create(m_Capacity, m_MaxPacketSize);
        m_Ring.Lend(std::make_unique<std::byte[]>(m_Capacity));
    }

    void Run()
    {
        while (!m_Input.IsEmpty())
            Step();
        Finish();
    }

private:
    struct Packet {
        std::span<const std::byte> Bytes;
        size_t Position; // in the stream
        uint32_t GiveBack;
    };

    void Step()
    {
        switch (m_Input.Take<uint8_t>() % 12) {
        case 0:
        case 1: SendPacket(m_Input.Between(PacketHeaderLength, m_MaxPacketSize)); break;
        case 2: SendPacket(m_MaxPacketSize); break;
        case 3: Send(m_Input.TakeBytes(m_Input.Take<uint8_t>())); break;
        case 4:
        case 5: Receive(m_Input.Between(1, std::min(m_Capacity + 3, MaxReceive)), m_Input.Take<uint16_t>()); break;
        case 6: Receive(std::min(m_Capacity, MaxReceive), m_Capacity); break;
        case 7: (void)FrameOne(); break;
        case 8: FrameAll(); break;
        case 9: GiveBackOne(); break;
        case 10: GiveBackAll(); break;
        default: DiscardOrReuse(); break;
        }
    }

    void SendPacket(uint32_t size)
    {
        if (m_Sent + size > m_MaxStream)
            return;
        const std::byte header[2]{static_cast<std::byte>(size & 0xFF), static_cast<std::byte>(size >> 8)};
        Send(header);
        Send(StreamBytes(m_Sent, size - sizeof(header)));
    }

    // Whatever it is that the client sends: right and wrong headers, too.
    void Send(std::span<const std::byte> bytes)
    {
        if (bytes.empty() || m_Sent + bytes.size() > m_MaxStream)
            return;
        std::memcpy(m_Stream.data() + m_Sent, bytes.data(), bytes.size());
        m_Sent += bytes.size();
    }

    // Asks where to receive, and gets some of what the client sent. What was offered is overwritten first, as the
    // system may do.
    void Receive(uint32_t wanted, size_t most)
    {
        const auto buffer = m_Ring.GetWriteBuffer(wanted);
        Require(buffer.size() <= wanted, "no more is offered than was wanted");
        if (buffer.empty()) {
            Require(!m_Held.empty() || Split().Result != Frame::Status::Incomplete,
                    "a packet that has begun has room when logic holds nothing");
            return;
        }
        const size_t edge = std::min(buffer.size(), size_t{2048}); // of large ones both ends, for speed
        std::memset(buffer.data(), 0xEE, edge);
        std::memset(buffer.last(edge).data(), 0xEE, edge);
        const size_t received = std::min({most, buffer.size(), m_Sent - m_Received});
        std::memcpy(buffer.data(), m_Stream.data() + m_Received, received);
        m_Ring.Received(static_cast<uint32_t>(received));
        m_Received += received;
        CheckUnframed();
    }

    // The model's opinion about what NextFrame must say.
    [[nodiscard]] Frame Split() const
    {
        const size_t available = m_Received - m_Framed;
        if (available == 0 || available == 1)
            return {Frame::Status::Incomplete, 0};
        const auto low = static_cast<uint32_t>(m_Stream[m_Framed]);
        const auto high = static_cast<uint32_t>(m_Stream[m_Framed + 1]);
        const uint32_t claimed = low + 256 * high;
        if (claimed <= 4)
            return {Frame::Status::TooShort, claimed};
        if (m_MaxPacketSize < claimed)
            return {Frame::Status::TooLong, claimed};
        return {claimed <= available ? Frame::Status::Complete : Frame::Status::Incomplete, claimed};
    }

    // Whether there may be more to frame.
    bool FrameOne()
    {
        const auto unframed = m_Ring.Unframed();
        const Frame frame = NextFrame(unframed, m_MaxPacketSize);
        const Frame expected = Split();
        Require(frame.Result == expected.Result && frame.Size == expected.Size, "NextFrame agrees with the model");
        switch (frame.Result) {
        case Frame::Status::Incomplete: return false;
        case Frame::Status::TooShort:
        case Frame::Status::TooLong: Discard(); return false;
        case Frame::Status::Complete: break;
        }
        const uint32_t giveBack = m_Ring.HandOut(frame.Size);
        Require(giveBack >= frame.Size, "logic gives back what it got at least");
        m_Held.push_back({unframed.first(frame.Size), m_Framed, giveBack});
        m_Framed += frame.Size;
        CheckUnframed();
        return true;
    }

    void FrameAll()
    {
        while (FrameOne()) {
        }
    }

    void GiveBackOne()
    {
        if (m_Held.empty())
            return;
        // At the last moment it must still be what the client sent.
        const Packet& packet = m_Held.front();
        Require(IsSame(packet.Bytes, std::span(m_Stream).subspan(packet.Position, packet.Bytes.size())),
                "what logic holds is what was sent");
        m_Ring.GiveBack(packet.GiveBack);
        m_Held.pop_front();
    }

    void GiveBackAll()
    {
        while (!m_Held.empty())
            GiveBackOne();
    }

    void Discard()
    {
        Require(m_Ring.DiscardUnframed() == m_Received - m_Framed, "it discards what is not framed");
        m_Framed = m_Received;
        CheckUnframed();
    }

    // The connection is closed in the middle; its slot may get another client, who starts with an empty ring.
    void DiscardOrReuse()
    {
        Discard();
        if (m_Input.Take<uint8_t>() % 2 == 0)
            return;
        GiveBackAll();
        auto memory = m_Ring.Reclaim();
        m_Ring.Create(m_Capacity, m_MaxPacketSize);
        m_Ring.Lend(std::move(memory));
        CheckUnframed();
    }

    // Whatever happened before: when logic gives everything back, the whole stream comes through.
    void Finish()
    {
        for (;;) {
            FrameAll();
            GiveBackAll();
            if (m_Received == m_Sent)
                break;
            const size_t before = m_Received;
            Receive(std::min(m_Capacity, MaxReceive), m_Capacity);
            Require(m_Received > before, "an idle ring receives");
        }
    }

    void CheckUnframed() const
    {
        Require(IsSame(m_Ring.Unframed(), std::span(m_Stream).subspan(m_Framed, m_Received - m_Framed)),
                "what is not framed is what was sent");
    }

    Input& m_Input;
    RecvRingBuffer m_Ring;
    uint32_t m_MaxPacketSize = 0;
    uint32_t m_Capacity = 0;
    size_t m_MaxStream = 0;
    // The model: everything that the client sent, one buffer for all runs.
    static inline std::vector<std::byte> m_Stream = std::vector<std::byte>(MaxStream);
    size_t m_Sent = 0;     // bytes of it
    size_t m_Received = 0; // the part of them that went into the ring
    size_t m_Framed = 0;   // the part of that which was handed to logic or discarded
    std::deque<Packet> m_Held;
};

} // namespace
} // namespace NetLib::Fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    NetLib::Fuzz::Input input(data, size);
    NetLib::Fuzz::RingAndModel(input).Run();
    return 0;
}
