package resp

import (
	"strconv"
	"time"
)

func (c *conn) ping(args [][]byte) {
	switch len(args) {
	case 1:
		c.w.Simple("PONG")
	case 2:
		c.w.Bulk(args[1])
	default:
		c.w.Error(wrongArity("ping"))
	}
}

func (c *conn) echo(args [][]byte) { c.w.Bulk(args[1]) }

func (c *conn) quit(_ [][]byte) {
	c.w.Simple("OK")
	c.quitting = true
}

// selectDB executes SELECT: there is database 0, as on a server configured so.
func (c *conn) selectDB(args [][]byte) {
	n, err := strconv.Atoi(string(args[1]))
	switch {
	case err != nil:
		c.w.Error("ERR value is not an integer or out of range")
	case n != 0:
		c.w.Error("ERR DB index is out of range")
	default:
		c.w.Simple("OK")
	}
}

func (c *conn) time(_ [][]byte) {
	now := time.Now()
	c.w.Array(2)
	c.w.BulkString(strconv.FormatInt(now.Unix(), 10))
	c.w.BulkString(strconv.FormatInt(int64(now.Nanosecond()/1000), 10))
}
