//go:build cgo

package bridge

// #cgo CFLAGS: -I${SRCDIR}/../native/IocpNetLib/include
// #cgo linux LDFLAGS: -ldl
// #cgo noescape NativeLibrary_Poll
// #cgo noescape NativeLibrary_Submit
// #cgo nocallback NativeLibrary_Submit
// #cgo noescape NativeLibrary_GetStats
// #cgo nocallback NativeLibrary_GetStats
// #include <stdlib.h>
// #include "native_library.h"
import "C"

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/mattn/go-pointer"
	"go.uber.org/zap"
)

const nativeSupported = true

var _ threadBound = (*nativeCore)(nil)

// A Poll takes at most this many messages, whatever its caller has room for: beyond it the cost of the call is shared
// well enough, and answers should not wait longer.
const maxNativeBatch = 1024

// nativeCore is a Core behind the C ABI.
type nativeCore struct {
	library *C.NativeLibrary // C memory, which cgo need not look through in every call
	server  *C.NetLib_Server
	logger  *zap.Logger
	logUser unsafe.Pointer // the logger, as go-pointer's handle

	// Where the library writes a batch. C memory: the library's payload pointers are kept in it.
	messages []C.NetLib_Message
	polling  atomic.Bool // guards messages

	closeOnce sync.Once
}

func openNative(path string, logger *zap.Logger) (Core, error) {
	// With a bare file name dlopen and LoadLibrary would search the system's folders; a path means that file.
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, &LibraryError{Searched: []string{path}, Reason: err.Error()}
	}
	if _, err := os.Stat(absolute); errors.Is(err, fs.ErrNotExist) {
		return nil, missingLibrary(absolute)
	}
	c := &nativeCore{logger: logger}
	cPath := C.CString(absolute)
	defer C.free(unsafe.Pointer(cPath))
	var reason [512]C.char
	c.library = C.NativeLibrary_Load(cPath, &reason[0], C.uint32_t(len(reason)))
	if c.library == nil {
		return nil, wrongLibrary(absolute, C.GoString(&reason[0]))
	}
	if version := C.NativeLibrary_AbiVersion(c.library); version != C.NETLIB_ABI_VERSION {
		C.NativeLibrary_Unload(c.library)
		return nil, wrongLibrary(absolute, fmt.Sprintf(
			"the library has ABI version %d, this program needs %d", version, C.NETLIB_ABI_VERSION))
	}
	memory := C.calloc(maxNativeBatch, C.sizeof_NetLib_Message)
	if memory != nil {
		c.server = C.NativeLibrary_Create(c.library)
	}
	if c.server == nil {
		C.free(memory)
		C.NativeLibrary_Unload(c.library)
		return nil, &LibraryError{Searched: []string{absolute}, Reason: "out of memory"}
	}
	c.messages = unsafe.Slice((*C.NetLib_Message)(memory), maxNativeBatch)
	c.logUser = pointer.Save(logger)
	return c, nil
}

func (c *nativeCore) Name() string {
	return C.GoString(C.NativeLibrary_BackendName(c.library, c.server))
}

func (c *nativeCore) Start(config Config) error {
	if err := config.validate(); err != nil {
		return err
	}
	var native C.NetLib_Config
	C.NativeLibrary_DefaultConfig(c.library, &native)
	native.PortNumber = C.int32_t(config.Port)
	native.WorkThreadCount = C.int32_t(config.WorkThreads)
	native.IoBackend = C.int32_t(config.IOBackend)
	native.MaxRecvOverlappedBufferSize = C.int32_t(orElse(config.MaxRecvOverlapped, config.RecvBufferSize))
	native.MaxSendOverlappedBufferSize = C.int32_t(orElse(config.MaxSendOverlapped, config.SendBufferSize))
	native.ConnectionMaxRecvBufferSize = C.int32_t(config.RecvBufferSize)
	native.ConnectionMaxSendBufferSize = C.int32_t(config.SendBufferSize)
	native.MaxPacketSize = C.int32_t(config.MaxPacketSize)
	native.MaxConnectionCount = C.int32_t(config.MaxConnections)
	native.MaxMessagePoolCount = C.int32_t(config.MessagePool)
	native.ExtraMessagePoolCount = C.int32_t(config.ExtraMessagePool)
	native.PerformancePacketMillisecondsTime = C.int32_t(config.PerformancePeriod.Milliseconds())
	native.CloseTimeoutMilliseconds = C.int32_t(config.CloseTimeout.Milliseconds())
	native.FirstPacketTimeoutMilliseconds = C.int32_t(roundedUp(config.FirstPacketTimeout, time.Millisecond))
	native.IdleTimeoutMilliseconds = C.int32_t(roundedUp(config.IdleTimeout, time.Millisecond))
	native.KeepAliveIdleSeconds = C.int32_t(roundedUp(config.KeepAlive.Idle, time.Second))
	native.KeepAliveIntervalSeconds = C.int32_t(roundedUp(config.KeepAlive.Interval, time.Second))
	native.KeepAliveCount = C.int32_t(config.KeepAlive.Count)
	native.MaxPacketsPerSecond = C.int32_t(config.Rate.PacketsPerSecond)
	native.MaxBytesPerSecond = C.int32_t(config.Rate.BytesPerSecond)
	native.RateBurstMilliseconds = C.int32_t(roundedUp(config.Rate.Burst, time.Millisecond))
	if config.Nagle {
		native.NoDelay = 0
	}
	native.MinLogLevel = C.int32_t(nativeLogLevel(c.logger))
	for i := range len(config.BindAddress) { // validate made sure that it fits
		native.BindAddress[i] = C.char(config.BindAddress[i])
	}
	proxies := C.CString(proxySources(config.Proxies)) // read during the start only
	defer C.free(unsafe.Pointer(proxies))
	native.ProxySources = proxies
	native.Log = C.NetLib_LogFunc(C.NativeLibrary_Log)
	native.LogUser = c.logUser
	var detail [512]C.char
	result := NetResult(C.NativeLibrary_Start(c.library, c.server, &native, &detail[0], C.uint32_t(len(detail))))
	if result != ResultSuccess {
		return &StartError{Result: result, Detail: C.GoString(&detail[0])}
	}
	return nil
}

func (c *nativeCore) Port() int { return int(C.NativeLibrary_GetPort(c.library, c.server)) }

// bindsThread: without I/O threads Poll does the I/O, and io_uring reports to the thread that began an operation. If that
// was another one, each message would have to wait for it to enter the kernel.
func (c *nativeCore) bindsThread() bool { return true }

func (c *nativeCore) Poll(messages []Message, wait time.Duration) (int, error) {
	if !c.polling.CompareAndSwap(false, true) {
		return 0, ErrBusy
	}
	defer c.polling.Store(false)
	poll := C.NativeLibrary_Poll(c.library, c.server, &c.messages[0],
		C.uint32_t(min(len(messages), len(c.messages))), waitMilliseconds(wait))
	if result := NetResult(poll.Result); result != ResultSuccess {
		return 0, result
	}
	// Field by field, not as one value: that would be made on the stack in small pieces and read back in large ones at
	// once, for which the processor has to wait.
	for i := range c.messages[:poll.Count] {
		native, message := &c.messages[i], &messages[i]
		message.ID = ConnectionID(native.ConnectionId)
		message.Data = unsafe.Slice((*byte)(native.Data), int(native.Size))
		message.Type = MessageType(native.Type)
		message.Reason = CloseReason(native.Reason)
	}
	return int(poll.Count), nil
}

func (c *nativeCore) WakePoll() { C.NativeLibrary_WakePoll(c.library, c.server) }

func (c *nativeCore) Submit(batch *SendBatch) error {
	if batch == nil {
		return ResultInvalidArgument
	}
	return NetResult(C.NativeLibrary_Submit(c.library, c.server,
		unsafe.Pointer(unsafe.SliceData(batch.ops)), C.uint32_t(len(batch.ops)),
		unsafe.Pointer(unsafe.SliceData(batch.payload)), C.uint32_t(len(batch.payload)),
		unsafe.Pointer(unsafe.SliceData(batch.receivers)), C.uint32_t(len(batch.receivers)))).asError()
}

func (c *nativeCore) Stats() Stats {
	native := C.NetLib_Stats{StructSize: C.sizeof_NetLib_Stats}
	C.NativeLibrary_GetStats(c.library, c.server, &native)
	stats := Stats{
		ConnectionsCurrent:    uint64(native.ConnectionsCurrent),
		ConnectionsAccepted:   uint64(native.ConnectionsAccepted),
		ConnectionsRefused:    uint64(native.ConnectionsRefused),
		RefusedAtStop:         uint64(native.ConnectionsRefusedAtStop),
		AcceptErrors:          uint64(native.AcceptErrors),
		PacketsReceived:       uint64(native.PacketsReceived),
		BytesReceived:         uint64(native.BytesReceived),
		PacketsSent:           uint64(native.PacketsSent),
		BytesSent:             uint64(native.BytesSent),
		MessagesInUse:         uint64(native.MessagesInUse),
		MessagePoolExhausted:  uint64(native.MessagePoolExhausted),
		MessageReserveUsed:    uint64(native.MessageReserveUsed),
		ReceivesPaused:        uint64(native.ReceivesPaused),
		ReceivesThrottled:     uint64(native.ReceivesThrottled),
		CloseTimeouts:         uint64(native.CloseTimeouts),
		BytesDiscardedOnClose: uint64(native.BytesDiscardedOnClose),

		BytesReceivedDiscarded: uint64(native.BytesReceivedDiscarded),
		SendBufferHighWater:    uint64(native.SendBufferHighWater),
	}
	for reason := range stats.SendsDropped {
		stats.SendsDropped[reason] = uint64(native.SendsDropped[reason])
	}
	for reason := range native.Closed {
		stats.Closed[reason] = uint64(native.Closed[reason])
	}
	return stats
}

func (c *nativeCore) SetLimits(limits Limits) error {
	if err := limits.validate(); err != nil {
		return err
	}
	native := C.NetLib_Limits{
		StructSize:                     C.sizeof_NetLib_Limits,
		FirstPacketTimeoutMilliseconds: C.int32_t(roundedUp(limits.FirstPacketTimeout, time.Millisecond)),
		IdleTimeoutMilliseconds:        C.int32_t(roundedUp(limits.IdleTimeout, time.Millisecond)),
		MaxPacketsPerSecond:            C.int32_t(limits.Rate.PacketsPerSecond),
		MaxBytesPerSecond:              C.int32_t(limits.Rate.BytesPerSecond),
		RateBurstMilliseconds:          C.int32_t(roundedUp(limits.Rate.Burst, time.Millisecond)),
	}
	return NetResult(C.NativeLibrary_SetLimits(c.library, c.server, &native)).asError()
}

func (c *nativeCore) LogLevelChanged() {
	C.NativeLibrary_SetLogLevel(c.library, c.server, C.int32_t(nativeLogLevel(c.logger)))
}

func (c *nativeCore) StopAccepting() error {
	return NetResult(C.NativeLibrary_StopAccepting(c.library, c.server)).asError()
}

func (c *nativeCore) BeginStop() error {
	return NetResult(C.NativeLibrary_BeginStop(c.library, c.server)).asError()
}

func (c *nativeCore) Stop(drain time.Duration) error {
	if drain < 0 || drain > maxTimeout {
		return ResultInvalidArgument
	}
	return NetResult(C.NativeLibrary_Stop(c.library, c.server, C.int32_t(drain.Milliseconds()))).asError()
}

func (c *nativeCore) enableMiniDump(folder string) error {
	if strings.ContainsRune(folder, 0) { // C would see what is before it
		return ResultInvalidArgument
	}
	cFolder := C.CString(folder)
	defer C.free(unsafe.Pointer(cFolder))
	var detail [512]C.char
	result := NetResult(C.NativeLibrary_EnableMiniDump(c.library, cFolder, &detail[0], C.uint32_t(len(detail))))
	if result == ResultMiniDump {
		return fmt.Errorf("%w: %s", result, C.GoString(&detail[0]))
	}
	return result.asError()
}

func (c *nativeCore) Close() error {
	c.closeOnce.Do(func() {
		C.NativeLibrary_Destroy(c.library, c.server)
		C.NativeLibrary_Unload(c.library)
		C.free(unsafe.Pointer(unsafe.SliceData(c.messages)))
		pointer.Unref(c.logUser)
	})
	return nil
}

// waitMilliseconds rounds up, so that a short wait does not become none.
func waitMilliseconds(wait time.Duration) C.int32_t {
	if wait < 0 {
		return C.NETLIB_WAIT_INFINITE
	}
	return C.int32_t(min(roundedUp(wait, time.Millisecond), math.MaxInt32))
}

// proxySources is how the header wants a list of networks.
func proxySources(networks []netip.Prefix) string {
	texts := make([]string, len(networks))
	for i, network := range networks {
		texts[i] = network.String()
	}
	return strings.Join(texts, ",")
}

func orElse(value, ifZero int) int {
	if value == 0 {
		return ifZero
	}
	return value
}
