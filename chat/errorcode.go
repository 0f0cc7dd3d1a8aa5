package chat

import (
	"fmt"
	"maps"
	"slices"
)

// ErrorCode is the result in a response. The numbers are those of the original server.
type ErrorCode int16

// The results. Some are never sent by this server; clients know them all.
const (
	ResultNone ErrorCode = 0 // success

	ResultUserInvalidIndex    ErrorCode = 11
	ResultUserInvalidUniqueID ErrorCode = 12

	ResultLoginUserAlready    ErrorCode = 31
	ResultLoginUserUsedAllObj ErrorCode = 32

	ResultNewRoomUsedAllObj ErrorCode = 41
	ResultNewRoomFailEnter  ErrorCode = 42

	ResultEnterRoomNotFoundUser      ErrorCode = 51
	ResultEnterRoomInvalidUserStatus ErrorCode = 52
	ResultEnterRoomNotUsedStatus     ErrorCode = 53
	ResultEnterRoomFullUser          ErrorCode = 54

	ResultRoomInvalidIndex  ErrorCode = 61
	ResultRoomNotUsed       ErrorCode = 62
	ResultRoomTooManyPacket ErrorCode = 63

	ResultLeaveRoomInvalidRoomIndex ErrorCode = 71

	ResultChatRoomInvalidRoomNumber ErrorCode = 81
)

// MaxErrorCode is the largest of the results.
const MaxErrorCode = ResultChatRoomInvalidRoomNumber

// errorCodeNames are the protocol's own spellings, NOT_FINDE included: readers search for them.
var errorCodeNames = map[ErrorCode]string{
	ResultNone:                       "NONE",
	ResultUserInvalidIndex:           "USER_MGR_INVALID_USER_INDEX",
	ResultUserInvalidUniqueID:        "USER_MGR_INVALID_USER_UNIQUEID",
	ResultLoginUserAlready:           "LOGIN_USER_ALREADY",
	ResultLoginUserUsedAllObj:        "LOGIN_USER_USED_ALL_OBJ",
	ResultNewRoomUsedAllObj:          "NEW_ROOM_USED_ALL_OBJ",
	ResultNewRoomFailEnter:           "NEW_ROOM_FAIL_ENTER",
	ResultEnterRoomNotFoundUser:      "ENTER_ROOM_NOT_FINDE_USER",
	ResultEnterRoomInvalidUserStatus: "ENTER_ROOM_INVALID_USER_STATUS",
	ResultEnterRoomNotUsedStatus:     "ENTER_ROOM_NOT_USED_STATUS",
	ResultEnterRoomFullUser:          "ENTER_ROOM_FULL_USER",
	ResultRoomInvalidIndex:           "ROOM_INVALID_INDEX",
	ResultRoomNotUsed:                "ROOM_NOT_USED",
	ResultRoomTooManyPacket:          "ROOM_TOO_MANY_PACKET",
	ResultLeaveRoomInvalidRoomIndex:  "LEAVE_ROOM_INVALID_ROOM_INDEX",
	ResultChatRoomInvalidRoomNumber:  "CHAT_ROOM_INVALID_ROOM_NUMBER",
}

// ErrorCodes lists the results that the protocol names, in the order of their numbers.
func ErrorCodes() []ErrorCode { return slices.Sorted(maps.Keys(errorCodeNames)) }

// String is the result's name in the protocol, or its number.
func (c ErrorCode) String() string {
	if name, ok := errorCodeNames[c]; ok {
		return name
	}
	return fmt.Sprintf("ERROR_%d", int16(c))
}
