package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

// Sizes of what HELLO carries.
const (
	CookieSize = 24 // u64 epoch and MAC
	ProofSize  = 32
	SealedSize = 24 // 8 bytes of secret and a 16-byte AES-GCM tag
)

const (
	cookieLabel = "shredder cookie"
	proofLabel  = "shredder hello2"
	secretLabel = "shredder secret"
	hmacBlock   = 64
	maxMACed    = len(proofLabel) + CookieSize + 16 + 8 + MaxKeyLen
)

// hmacSHA256 is HMAC (RFC 2104) over at most maxMACed bytes. It is here
// because crypto/hmac allocates, and HELLO1 floods would make garbage.
func hmacSHA256(key, msg []byte) [32]byte {
	var block [hmacBlock + maxMACed]byte
	if len(key) > hmacBlock {
		sum := sha256.Sum256(key)
		copy(block[:], sum[:])
	} else {
		copy(block[:], key)
	}
	for i := range hmacBlock {
		block[i] ^= 0x36
	}
	n := copy(block[hmacBlock:], msg)
	inner := sha256.Sum256(block[:hmacBlock+n])
	for i := range hmacBlock {
		block[i] ^= 0x36 ^ 0x5c
	}
	copy(block[hmacBlock:], inner[:])
	return sha256.Sum256(block[:hmacBlock+len(inner)])
}

// MakeCookie is the cookie for a client at addr (an IPv4 address in its
// IPv4-mapped form) and port, in an epoch of the server's choice: proof, to a
// server that kept nothing, that the client receives what is sent there.
func MakeCookie(serverKey *[32]byte, epoch uint64, addr [16]byte, port uint16) (cookie [CookieSize]byte) {
	var msg [len(cookieLabel) + 8 + 16 + 2]byte
	n := copy(msg[:], cookieLabel)
	binary.LittleEndian.PutUint64(msg[n:], epoch)
	copy(msg[n+8:], addr[:])
	binary.LittleEndian.PutUint16(msg[n+24:], port)
	mac := hmacSHA256(serverKey[:], msg[:])
	binary.LittleEndian.PutUint64(cookie[:], epoch)
	copy(cookie[8:], mac[:CookieSize-8])
	return cookie
}

// CheckCookie says whether cookie was made for this address and port in epoch
// now or the one before.
func CheckCookie(cookie []byte, serverKey *[32]byte, now uint64, addr [16]byte, port uint16) bool {
	if len(cookie) != CookieSize {
		return false
	}
	epoch := binary.LittleEndian.Uint64(cookie)
	if epoch > now || now-epoch > 1 {
		return false
	}
	want := MakeCookie(serverKey, epoch, addr, port)
	return subtle.ConstantTimeCompare(cookie, want[:]) == 1
}

// MakeProof is HELLO2's proof that the client knows the tenant's token:
// HMAC-SHA256(token, "shredder hello2" ‖ cookie ‖ nonce ‖ role ‖ tenant).
// The token is empty for a tenant without one.
func MakeProof(token, cookie []byte, nonce [2]uint64, role uint64, tenant []byte) [ProofSize]byte {
	var msg [maxMACed]byte
	n := copy(msg[:], proofLabel)
	n += copy(msg[n:n+CookieSize], cookie)
	binary.LittleEndian.PutUint64(msg[n:], nonce[0])
	binary.LittleEndian.PutUint64(msg[n+8:], nonce[1])
	binary.LittleEndian.PutUint64(msg[n+16:], role)
	n += 24
	n += copy(msg[n:], tenant)
	return hmacSHA256(token, msg[:n])
}

// CheckProof compares a proof with the right one in constant time.
func CheckProof(proof, token, cookie []byte, nonce [2]uint64, role uint64, tenant []byte) bool {
	want := MakeProof(token, cookie, nonce, role, tenant)
	return subtle.ConstantTimeCompare(proof, want[:]) == 1
}

// SealSecret encrypts a new session's secret for the client that said HELLO2.
// The key is HKDF-SHA256(token, salt = cookie ‖ nonce, info = "shredder secret"
// ‖ session ‖ tenant id), so no two sessions share one, even if the network
// duplicates a HELLO2, and the AES-256-GCM nonce can be zero. It allocates: it
// runs once a session, after a valid proof.
func SealSecret(token, cookie []byte, nonce [2]uint64, session, tenantID uint32, secret uint64) (sealed [SealedSize]byte, err error) {
	aead, err := secretCipher(token, cookie, nonce, session, tenantID)
	if err != nil {
		return sealed, err
	}
	var plain [8]byte
	var iv [12]byte
	binary.LittleEndian.PutUint64(plain[:], secret)
	aead.Seal(sealed[:0], iv[:], plain[:], nil)
	return sealed, nil
}

// OpenSecret is the client's inverse of SealSecret; false: the reply was not
// made by a server that knows the token, or not for this HELLO2.
func OpenSecret(sealed, token, cookie []byte, nonce [2]uint64, session, tenantID uint32) (uint64, bool) {
	aead, err := secretCipher(token, cookie, nonce, session, tenantID)
	if err != nil || len(sealed) != SealedSize {
		return 0, false
	}
	var iv [12]byte
	plain, err := aead.Open(nil, iv[:], sealed, nil)
	if err != nil {
		return 0, false
	}
	return binary.LittleEndian.Uint64(plain), true
}

func secretCipher(token, cookie []byte, nonce [2]uint64, session, tenantID uint32) (cipher.AEAD, error) {
	salt := append(make([]byte, 0, CookieSize+16), cookie...)
	salt = binary.LittleEndian.AppendUint64(salt, nonce[0])
	salt = binary.LittleEndian.AppendUint64(salt, nonce[1])
	info := binary.LittleEndian.AppendUint32([]byte(secretLabel), session)
	info = binary.LittleEndian.AppendUint32(info, tenantID)
	key, err := hkdf.Key(sha256.New, token, salt, string(info), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
