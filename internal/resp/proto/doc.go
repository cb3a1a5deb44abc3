// Package proto reads requests and writes replies of the Redis protocol, RESP2
// and RESP3. It holds no connection: a Reader parses what stands in its caller's buffer, a
// Writer appends to one. Neither is safe for several threads at once.
package proto
