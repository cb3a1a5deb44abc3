// Package sim runs a whole server, several lcores over an in-memory network
// with faults, against simulated clients and a model of what the store promises,
// all on one goroutine and from one seed: the same seed gives the same run, so a
// failure can be looked at again.
//
// What is checked: every reply is one that the model allows; a request that
// changes something is executed exactly once however often it is lost, doubled or
// retried; functions are atomic, whatever ends them; reads of several keys see
// one commit; at the end the store holds what the model holds and every buffer is
// back with its driver.
package sim
