// Package clienttest runs the clients that others wrote against a whole shredderd: the examples
// of docs/redis.md as they stand there, and redis-benchmark. It holds tests only.
package clienttest
