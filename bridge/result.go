package bridge

import "fmt"

// NetResult is a result of a core as a typed error. The numbers up to 65 are those of the original C++ library.
type NetResult int32

// The results that a caller may want to tell apart. The native core's header lists all.
const (
	ResultSuccess             NetResult = 0
	ResultWorkThreads         NetResult = 32
	ResultPort                NetResult = 33
	ResultMaxRecvOverlapped   NetResult = 34
	ResultMaxSendOverlapped   NetResult = 35
	ResultRecvBufferSize      NetResult = 36
	ResultSendBufferSize      NetResult = 37
	ResultMaxPacketSize       NetResult = 38
	ResultMaxConnections      NetResult = 39
	ResultMessagePool         NetResult = 40
	ResultExtraMessagePool    NetResult = 41
	ResultPerformancePeriod   NetResult = 42
	ResultPostMessagesThreads NetResult = 43
	ResultListenStartup       NetResult = 45
	ResultListenSocket        NetResult = 46
	ResultListenBind          NetResult = 47
	ResultListenListen        NetResult = 48
	ResultWorkHandle          NetResult = 49
	ResultMessageManager      NetResult = 51
	ResultLinkListenSocket    NetResult = 52
	ResultCreateConnection    NetResult = 53
	ResultCreateWorkThread    NetResult = 55
	ResultPostAccept          NetResult = 57
	ResultNotConnected        NetResult = 64
	ResultSendBufferFull      NetResult = 65
	ResultInvalidArgument     NetResult = 100
	ResultAlreadyStarted      NetResult = 101
	ResultNotStarted          NetResult = 102
	ResultBusy                NetResult = 103
	ResultStopped             NetResult = 104
	ResultNoMessage           NetResult = 105
	ResultBufferTooSmall      NetResult = 106
	ResultBadBindAddress      NetResult = 107
	ResultOutOfMemory         NetResult = 108
	ResultMiniDump            NetResult = 109
)

// Errors to compare with errors.Is.
var (
	ErrAlreadyStarted error = ResultAlreadyStarted
	ErrNotStarted     error = ResultNotStarted
	ErrBusy           error = ResultBusy
	ErrStopped        error = ResultStopped
)

var resultTexts = map[NetResult]string{
	ResultSuccess:             "success",
	ResultWorkThreads:         "number of I/O threads out of range",
	ResultPort:                "port out of range",
	ResultMaxRecvOverlapped:   "size of one receive out of range",
	ResultMaxSendOverlapped:   "size of one send out of range",
	ResultRecvBufferSize:      "receive buffer size out of range",
	ResultSendBufferSize:      "send buffer size out of range",
	ResultMaxPacketSize:       "maximum packet size out of range",
	ResultMaxConnections:      "maximum number of connections out of range",
	ResultMessagePool:         "message pool size out of range",
	ResultExtraMessagePool:    "message pool reserve out of range",
	ResultPerformancePeriod:   "performance period out of range",
	ResultPostMessagesThreads: "number of logic threads is not 1",
	ResultListenStartup:       "the system's socket layer did not start",
	ResultListenSocket:        "no listen socket",
	ResultListenBind:          "the listen address could not be bound",
	ResultListenListen:        "the listen socket could not listen",
	ResultWorkHandle:          "no I/O handle for a worker",
	ResultMessageManager:      "no memory for the message pool",
	ResultLinkListenSocket:    "the listen socket could not be bound to the I/O backend",
	ResultCreateConnection:    "no memory for the connections",
	ResultCreateWorkThread:    "the system refused an I/O thread",
	ResultPostAccept:          "no accept could be posted",
	ResultNotConnected:        "not connected",
	ResultSendBufferFull:      "send buffer full",
	ResultInvalidArgument:     "invalid argument",
	ResultAlreadyStarted:      "already started",
	ResultNotStarted:          "not started",
	ResultBusy:                "another poll is under way",
	ResultStopped:             "stopped",
	ResultNoMessage:           "no message",
	ResultBufferTooSmall:      "buffer too small",
	ResultBadBindAddress:      "not an IPv4 or IPv6 address",
	ResultOutOfMemory:         "out of memory",
	ResultMiniDump:            "crash files cannot be written",
}

// Error is the result in words.
func (r NetResult) Error() string {
	if text, ok := resultTexts[r]; ok {
		return text
	}
	return fmt.Sprintf("net result %d", int32(r))
}

// StartError is what Core.Start returns: the result, and a sentence with the setting or the system's reason.
type StartError struct {
	Result NetResult
	Detail string
}

func (e *StartError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("core did not start: %v (NetResult %d)", e.Result, int32(e.Result))
	}
	return fmt.Sprintf("core did not start: %s (NetResult %d)", e.Detail, int32(e.Result))
}

// Unwrap gives the NetResult, so errors.Is(err, bridge.ResultListenBind) works.
func (e *StartError) Unwrap() error { return e.Result }

// asError is nil for success.
func (r NetResult) asError() error {
	if r == ResultSuccess {
		return nil
	}
	return r
}
