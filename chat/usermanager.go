package chat

import (
	"iter"

	"iocpnetlib/bridge"
)

// UserManager owns the users: a pool of fixed size, found by connection and by id in constant time.
type UserManager struct {
	free         []*User // the part of the pool that nobody uses
	byConnection []*User // by slot of the connection
	byID         map[UserID]*User
}

// NewUserManager makes a manager for up to maxUsers users on connections whose slots are below maxConnections.
func NewUserManager(maxUsers, maxConnections int) *UserManager {
	pool := make([]User, maxUsers)
	m := &UserManager{
		free:         make([]*User, 0, maxUsers),
		byConnection: make([]*User, maxConnections),
		byID:         make(map[UserID]*User),
	}
	for i := range pool {
		m.free = append(m.free, &pool[i])
	}
	return m
}

// AddUser logs an id in on a connection that has no user yet. It returns ResultLoginUserAlready if the id, or the
// connection, is logged in, and otherwise ResultLoginUserUsedAllObj if there is no place left. The order matters to a
// client that logs in again after a lost connection: "already" tells it more than "full".
func (m *UserManager) AddUser(id UserID, connection bridge.ConnectionID) ErrorCode {
	if _, ok := m.byID[id]; ok || m.byConnection[connection.Index()] != nil {
		return ResultLoginUserAlready
	}
	if len(m.free) == 0 {
		return ResultLoginUserUsedAllObj
	}
	user := m.free[len(m.free)-1]
	m.free = m.free[:len(m.free)-1]

	*user = User{id: id, connection: connection}
	m.byConnection[connection.Index()] = user
	m.byID[id] = user
	return ResultNone
}

// RemoveUser logs a user out: out of its room first, then its id and its place are free again. The user is invalid
// afterwards.
func (m *UserManager) RemoveUser(user *User) {
	if user.room != nil {
		user.room.LeaveUser(user)
	}
	delete(m.byID, user.id)
	m.byConnection[user.connection.Index()] = nil
	*user = User{}
	m.free = append(m.free, user)
}

// UserByConnection is the user of a connection, nil if nobody is logged in on it. An id of an earlier connection of
// the same slot finds nobody.
func (m *UserManager) UserByConnection(connection bridge.ConnectionID) *User {
	index := connection.Index()
	if index >= len(m.byConnection) {
		return nil
	}
	user := m.byConnection[index]
	if user == nil || user.connection != connection {
		return nil
	}
	return user
}

// UserByID is the user with an id, nil if it is not logged in.
func (m *UserManager) UserByID(id UserID) *User { return m.byID[id] }

// Count is the number of users who are logged in.
func (m *UserManager) Count() int { return len(m.byID) }

// All goes through the users who are logged in, in the order of their connections' slots.
func (m *UserManager) All() iter.Seq[*User] {
	return func(yield func(*User) bool) {
		for _, user := range m.byConnection {
			if user != nil && !yield(user) {
				return
			}
		}
	}
}
