package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"testing"
)

func TestHMACIsTheStandardOne(t *testing.T) {
	msg := bytes.Repeat([]byte("abc"), 300)
	for _, keyLen := range []int{0, 1, 32, 63, 64, 65, 200} {
		key := bytes.Repeat([]byte{0x5a}, keyLen)
		mac := hmac.New(sha256.New, key)
		mac.Write(msg)
		if got := hmacSHA256(key, msg); !bytes.Equal(got[:], mac.Sum(nil)) {
			t.Fatalf("key of %d bytes: %x", keyLen, got)
		}
	}
}

func TestCookie(t *testing.T) {
	key := [32]byte{1, 2, 3}
	addr := [16]byte{10: 0xff, 11: 0xff, 12: 10, 15: 1}
	cookie := MakeCookie(&key, 100, addr, 5000)
	for _, c := range []struct {
		name  string
		now   uint64
		port  uint16
		flip  int
		valid bool
	}{
		{"same epoch", 100, 5000, -1, true},
		{"next epoch", 101, 5000, -1, true},
		{"two epochs later", 102, 5000, -1, false},
		{"from the future", 99, 5000, -1, false},
		{"another port", 100, 5001, -1, false},
		{"epoch changed", 101, 5000, 0, false},
		{"MAC changed", 100, 5000, 23, false},
	} {
		b := cookie
		if c.flip >= 0 {
			b[c.flip] ^= 1
		}
		if got := CheckCookie(b[:], &key, c.now, addr, c.port); got != c.valid {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if CheckCookie(cookie[:23], &key, 100, addr, 5000) {
		t.Error("short cookie")
	}
}

func TestProofAndSecret(t *testing.T) {
	token, tenant := []byte("token"), []byte("alice")
	cookie := bytes.Repeat([]byte{7}, CookieSize)
	nonce := [2]uint64{1, 2}
	proof := MakeProof(token, cookie, nonce, RoleData, tenant)
	if !CheckProof(proof[:], token, cookie, nonce, RoleData, tenant) {
		t.Error("the right proof is refused")
	}
	if CheckProof(proof[:], token, cookie, nonce, RoleDeploy, tenant) || CheckProof(proof[:], token, cookie, nonce, RoleData, []byte("bob")) ||
		CheckProof(proof[:], nil, cookie, nonce, RoleData, tenant) || CheckProof(proof[:31], token, cookie, nonce, RoleData, tenant) {
		t.Error("a wrong proof is taken")
	}
	sealed, err := SealSecret(token, cookie, nonce, 5, 6, 0x1122334455667788)
	if err != nil {
		t.Fatal(err)
	}
	secret, ok := OpenSecret(sealed[:], token, cookie, nonce, 5, 6)
	if !ok || secret != 0x1122334455667788 {
		t.Errorf("secret %x %v", secret, ok)
	}
	for _, wrong := range []func() (uint64, bool){
		func() (uint64, bool) { return OpenSecret(sealed[:], []byte("other"), cookie, nonce, 5, 6) },
		func() (uint64, bool) { return OpenSecret(sealed[:], token, cookie, nonce, 6, 6) },
		func() (uint64, bool) { return OpenSecret(sealed[:], token, cookie, nonce, 5, 7) },
		func() (uint64, bool) { return OpenSecret(sealed[:], token, cookie, [2]uint64{1, 3}, 5, 6) },
		func() (uint64, bool) { return OpenSecret(sealed[:23], token, cookie, nonce, 5, 6) },
	} {
		if _, ok := wrong(); ok {
			t.Error("a wrong secret opens")
		}
	}
	if _, err := SealSecret(nil, cookie, nonce, 5, 6, 1); err != nil {
		t.Error("empty token:", err)
	}
	key := [32]byte{1}
	if n := testing.AllocsPerRun(10, func() {
		c := MakeCookie(&key, 1, [16]byte{}, 1)
		if !CheckCookie(c[:], &key, 1, [16]byte{}, 1) || CheckProof(proof[:], token, c[:], nonce, 0, tenant) {
			t.Error("check")
		}
	}); n != 0 {
		t.Errorf("%v allocations before a proof is shown", n)
	}
}
