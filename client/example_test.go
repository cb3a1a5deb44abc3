package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"shredder/client"
)

// A server to try these on: shredderd --dev.

func ExampleDial() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, "127.0.0.1:9000", client.Options{
		Tenant: "alice",
		Token:  []byte(os.Getenv("SHREDDER_TOKEN")),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	if _, err := c.Set(ctx, client.Key("greeting"), []byte("hello"), client.TTL(time.Hour)); err != nil {
		log.Fatal(err)
	}
	entry, err := c.Get(ctx, client.Key("greeting"))
	if errors.Is(err, client.ErrNotFound) {
		log.Fatal("it has expired")
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, version %d\n", entry.Value, entry.Version)
}

// Update an entry only if nobody else has meanwhile.
func ExampleClient_Set() {
	var c *client.Client // from Dial
	ctx := context.Background()
	for {
		entry, err := c.Get(ctx, client.Int(7))
		if err != nil {
			log.Fatal(err)
		}
		_, err = c.Set(ctx, client.Int(7), append(entry.Value, '!'), client.IfVersion(entry.Version))
		if errors.Is(err, client.ErrConflict) {
			continue
		}
		if errors.Is(err, client.ErrUnknownOutcome) {
			log.Fatal("look before you repeat it: ", err)
		}
		if err != nil {
			log.Fatal(err)
		}
		return
	}
}

func ExampleClient_Call() {
	var c *client.Client // from Dial
	v, err := c.Call(context.Background(), "countFriends", 0, 2)
	var threw *client.FunctionError
	if errors.As(err, &threw) {
		log.Fatalf("line %d: %s", threw.Line, threw.Message)
	}
	if err != nil {
		log.Fatal(err)
	}
	n, err := v.Int()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n)
}

// Several operations in one datagram, all or nothing.
func ExampleBatch() {
	var c *client.Client // from Dial
	b := client.NewBatch().Atomic()
	b.Incr(client.Key("account:1"), -10)
	sum := b.Incr(client.Key("account:2"), 10)
	if err := c.Do(context.Background(), b); err != nil {
		log.Fatal(err)
	}
	if sum.Err != nil {
		log.Fatal(sum.Err)
	}
	fmt.Println(sum.Int)
}

func ExampleClient_Scan() {
	var c *client.Client // from Dial
	for key, err := range c.Scan(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(key)
	}
}

// Upload a library and follow what its functions log.
func ExampleClient_Deploy() {
	var c *client.Client // from Dial with Role: client.Deploy
	ctx := context.Background()
	source := []byte(`export function hello(name) { console.log("hello", name); return name.length; }`)
	if _, err := c.Deploy(ctx, "demo", source, true); err != nil {
		log.Fatal(err) // a *client.LibraryError has line and column
	}
	for record, err := range c.Logs(ctx, client.LogOptions{Follow: true}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(record.Time, record.Text)
	}
}
