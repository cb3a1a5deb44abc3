package resp

import (
	"crypto/subtle"
	"strconv"

	"shredder/internal/resp/proto"
	"shredder/tenants"
)

const (
	textNoAuth      = "NOAUTH Authentication required."
	textWrongPass   = "WRONGPASS invalid username-password pair or user is disabled."
	textNoPassword  = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
	textHelloNoAuth = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
)

// bindDefault makes the connection the default tenant's, if there is one that
// needs no token.
func (c *conn) bindDefault() {
	name := c.s.cfg.DefaultTenant
	l, ok := c.s.cfg.Registry.Find(name)
	if name == "" || !ok || len(l.DataToken) != 0 {
		c.reader.Limit(proto.UnauthenticatedArgs, proto.UnauthenticatedBulk)
		return
	}
	c.bind(l)
	c.mayDeploy = len(l.DeployToken) == 0
}

// bind makes the connection a tenant's, or nobody's.
func (c *conn) bind(l *tenants.Local) {
	if c.space != nil {
		c.s.release(c.space)
	}
	c.local, c.space, c.mayDeploy = l, nil, false
	c.of.Store(l)
	if l == nil {
		c.reader.Limit(proto.UnauthenticatedArgs, proto.UnauthenticatedBulk)
		return
	}
	c.space = c.s.spaceOf(l)
	c.reader.Limit(proto.MaxArgs, proto.MaxBulk)
}

// login binds the connection to the tenant whose token it gives. The tokens are
// compared in the same time wherever they differ; an unknown tenant takes as long.
func (c *conn) login(name, token []byte) bool {
	l, ok := c.s.cfg.Registry.Find(string(name))
	var data, deploy []byte
	if ok {
		data, deploy = l.DataToken, l.DeployToken
	}
	isData := subtle.ConstantTimeCompare(data, token) == 1
	isDeploy := len(deploy) != 0 && subtle.ConstantTimeCompare(deploy, token) == 1
	if !ok || !isData && !isDeploy && len(data) != 0 {
		if c.logins++; c.logins >= maxLogins {
			c.quitting = true // guessing takes a connection for a few tokens
		}
		return false
	}
	if l != c.local {
		c.stopMonitor()
		c.unwatch()
		c.bind(l)
	}
	c.mayDeploy = isDeploy || len(deploy) == 0
	return true
}

// auth executes AUTH.
func (c *conn) auth(args [][]byte) {
	switch {
	case len(args) > 3:
		c.w.Error("ERR syntax error")
	case len(args) == 2 && c.local != nil && len(c.local.DataToken) == 0:
		c.w.Error(textNoPassword)
	case len(args) == 3 && c.login(args[1], args[2]):
		c.w.Simple("OK")
	default:
		c.w.Error(textWrongPass)
	}
}

// hello executes HELLO [version [AUTH tenant token] [SETNAME name]].
func (c *conn) hello(args [][]byte) {
	version, next := c.version, 1
	if len(args) > 1 {
		n, err := strconv.Atoi(string(args[1]))
		switch {
		case err != nil:
			c.w.Error("ERR Protocol version is not an integer or out of range")
			return
		case n != 2 && n != 3:
			c.w.Error("NOPROTO unsupported protocol version")
			return
		}
		version, next = n, 2
	}
	var tenant, token, name []byte
	hasAuth, hasName := false, false
	for next < len(args) {
		switch left := len(args) - next - 1; {
		case is(args[next], "AUTH") && left >= 2:
			tenant, token, hasAuth = args[next+1], args[next+2], true
			next += 3
		case is(args[next], "SETNAME") && left >= 1:
			name, hasName = args[next+1], true
			if !validClientName(name) {
				c.w.Error(textBadName)
				return
			}
			next += 2
		default:
			c.w.Error("ERR Syntax error in HELLO option '" + oneLine(args[next]) + "'")
			return
		}
	}
	if hasAuth && !c.login(tenant, token) {
		c.w.Error(textWrongPass)
		return
	}
	if c.local == nil {
		c.w.Error(textHelloNoAuth)
		return
	}
	if hasName {
		c.info.setName(string(name))
	}
	c.setVersion(version)
	w := &c.w
	w.Map(7)
	w.BulkString("server")
	w.BulkString("redis")
	w.BulkString("version")
	w.BulkString(redisVersion)
	w.BulkString("proto")
	w.Int(int64(version))
	w.BulkString("id")
	w.Int(int64(c.id))
	w.BulkString("mode")
	w.BulkString("standalone")
	w.BulkString("role")
	w.BulkString("master")
	w.BulkString("modules")
	w.Array(0)
}

// setVersion changes the protocol for this reply and those that follow.
func (c *conn) setVersion(version int) {
	c.version = version
	c.info.mu.Lock()
	c.info.protocol = version
	c.info.mu.Unlock()
	c.w.Reset(c.w.Bytes(), version)
}

// reset executes RESET: the connection is as it was at first.
func (c *conn) reset(_ [][]byte) {
	c.stopMonitor()
	c.multi = transaction{}
	c.info.reset()
	c.bind(nil)
	c.bindDefault()
	c.setVersion(2)
	c.w.Simple("RESET")
}
