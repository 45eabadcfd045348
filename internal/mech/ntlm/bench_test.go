package ntlm

import "testing"

// BenchmarkExchange is a whole NTLMv2 login, both halves.
func BenchmarkExchange(b *testing.B) {
	client := Client{User: "user", Domain: "DOMAIN", Password: rightPassword}
	acceptor := knows("user", rightPassword, V2)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := login(b, acceptor, client); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNTHash(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NTHash(rightPassword)
	}
}
