package peer

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
	"sync"

	kcp "github.com/xtaci/kcp-go/v5"
	"golang.org/x/crypto/chacha20poly1305"
)

// cipherKind is one of kcptun's --crypt names (aes-256, the longer GCM keys and chacha20-poly1305 are ours): how many
// bytes of the stretched key it takes.
type cipherKind struct {
	keyBytes int
	make     func(key []byte) (kcp.BlockCrypt, error)
}

var ciphers = map[string]cipherKind{
	"aes":               {32, kcp.NewAESBlockCrypt},
	"aes-128":           {16, kcp.NewAESBlockCrypt},
	"aes-192":           {24, kcp.NewAESBlockCrypt},
	"aes-256":           {32, kcp.NewAESBlockCrypt},
	"aes-128-gcm":       {16, kcp.NewAESGCMCrypt},
	"aes-192-gcm":       {24, kcp.NewAESGCMCrypt},
	"aes-256-gcm":       {32, kcp.NewAESGCMCrypt},
	"chacha20-poly1305": {32, newChaCha20Poly1305},
	"sm4":               {16, newSM4},
	"twofish":           {32, kcp.NewTwofishBlockCrypt},
	"blowfish":          {32, kcp.NewBlowfishBlockCrypt},
	"cast5":             {16, kcp.NewCast5BlockCrypt},
	"3des":              {24, kcp.NewTripleDESBlockCrypt},
	"tea":               {16, kcp.NewTEABlockCrypt},
	"xtea":              {16, kcp.NewXTEABlockCrypt},
	"xor":               {32, kcp.NewSimpleXORBlockCrypt},
	"salsa20":           {32, kcp.NewSalsa20BlockCrypt},
	"none":              {32, kcp.NewNoneBlockCrypt},
}

// newChaCha20Poly1305 hands kcp-go an AEAD that it has no constructor of its own for.
func newChaCha20Poly1305(key []byte) (kcp.BlockCrypt, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	return kcp.NewAEADCrypt(aead), nil
}

// oneAtATime is a cipher that encrypts and decrypts by turns. A session of kcp-go does both at once, and the
// library that it has SM4 from cannot: the two share a buffer, so kcp-go alone damages packets on several CPUs.
type oneAtATime struct {
	mu    sync.Mutex
	block kcp.BlockCrypt
}

func (c *oneAtATime) Encrypt(dst, src []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.block.Encrypt(dst, src)
}

func (c *oneAtATime) Decrypt(dst, src []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.block.Decrypt(dst, src)
}

func newSM4(key []byte) (kcp.BlockCrypt, error) {
	block, err := kcp.NewSM4BlockCrypt(key)
	if err != nil {
		return nil, err
	}
	return &oneAtATime{block: block}, nil
}

// NewBlock makes the crypt layer; nil for "null", which has none.
func NewBlock(name, secret string) (kcp.BlockCrypt, error) {
	if name == "null" {
		return nil, nil
	}
	kind, ok := ciphers[name]
	if !ok {
		return nil, fmt.Errorf("--crypt %s: give one of null, %s", name, cipherNames())
	}
	key, err := keyFor(secret, kind.keyBytes)
	if err != nil {
		return nil, err
	}
	return kind.make(key)
}

func cipherNames() string {
	names := make([]string, 0, len(ciphers))
	for name := range ciphers {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// keyFor stretches the secret as kcptun does, or takes "hex:..." as the key itself.
func keyFor(secret string, n int) ([]byte, error) {
	if digits, ok := strings.CutPrefix(secret, "hex:"); ok {
		return hex.DecodeString(digits)
	}
	pass, err := pbkdf2.Key(sha1.New, secret, []byte("kcp-go"), 4096, 32)
	if err != nil {
		return nil, err
	}
	return pass[:n], nil
}
