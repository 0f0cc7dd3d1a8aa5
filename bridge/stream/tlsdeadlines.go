package stream

import (
	"sync"
	"time"
)

// answerTime is how long a Read that is to return may go on with a write.
const answerTime = time.Second

// tlsDeadlines are those of a tlsConn. Its Read writes, too: a client that asks for new keys is answered (RFC 8446,
// 4.6.3), and who does not read what it is sent holds that up. A read deadline has to end such a Read as well.
type tlsDeadlines struct {
	below *tcpConn

	mutex     sync.Mutex
	write     time.Time // the owner's
	isReading bool
	isOver    bool        // the read deadline
	timer     *time.Timer // for the read deadline; nil until there is one
}

// SetDeadline sets both.
func (d *tlsDeadlines) SetDeadline(t time.Time) error {
	if err := d.SetWriteDeadline(t); err != nil {
		return err
	}
	return d.SetReadDeadline(t)
}

// SetReadDeadline is net.Conn's.
func (d *tlsDeadlines) SetReadDeadline(t time.Time) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	wait := time.Until(t)
	switch {
	case t.IsZero():
		d.stop()
		d.setOver(false)
	case wait <= 0:
		d.stop()
		d.setOver(true)
	default:
		d.setOver(false)
		if d.timer == nil {
			d.timer = time.AfterFunc(wait, d.pass)
		} else {
			d.timer.Reset(wait)
		}
	}
	return d.below.SetReadDeadline(t)
}

// SetWriteDeadline is net.Conn's.
func (d *tlsDeadlines) SetWriteDeadline(t time.Time) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.write = t
	return d.apply()
}

// beginRead is called before what may write as well.
func (d *tlsDeadlines) beginRead() { d.setReading(true) }

// endRead is called after it.
func (d *tlsDeadlines) endRead() { d.setReading(false) }

func (d *tlsDeadlines) setReading(is bool) {
	d.mutex.Lock()
	d.isReading = is
	if d.isOver {
		_ = d.apply()
	}
	d.mutex.Unlock()
}

// pass is called when the read deadline is over. It may come late: then a Read that need not return has its time to write,
// too.
func (d *tlsDeadlines) pass() {
	d.mutex.Lock()
	d.setOver(true)
	d.mutex.Unlock()
}

// end is called when the connection is closed.
func (d *tlsDeadlines) end() {
	d.mutex.Lock()
	d.stop()
	d.mutex.Unlock()
}

func (d *tlsDeadlines) setOver(is bool) {
	if d.isOver == is {
		return
	}
	d.isOver = is
	if d.isReading {
		_ = d.apply()
	}
}

// apply sets the write deadline that holds. With the lock.
func (d *tlsDeadlines) apply() error {
	t := d.write
	if d.isReading && d.isOver {
		if soon := time.Now().Add(answerTime); t.IsZero() || soon.Before(t) {
			t = soon
		}
	}
	return d.below.TCPConn.SetWriteDeadline(t)
}

func (d *tlsDeadlines) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}
