package server

import (
	"net"
	"net/netip"
	"strings"
)

// calledBy reports whether a client may mean this server by that name: its
// identity, a name in its certificate, or the address that the client has come
// to, which is what some clients know it by. RFC 7628 3.2 has a name that is
// neither refused.
func (s *session) calledBy(name string) bool {
	host := strings.ToLower(strings.TrimSuffix(name, "."))
	if strings.EqualFold(host, s.server.identity) || s.server.script.Recorder {
		return true
	}
	if local, ok := s.raw.LocalAddr().(*net.TCPAddr); ok {
		here := local.AddrPort().Addr().Unmap()
		address, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if err == nil && address.Unmap() == here || host == "localhost" && here.IsLoopback() {
			return true
		}
	}
	for _, config := range s.server.tls {
		for _, shown := range config.Certificates {
			if shown.Leaf != nil && shown.Leaf.VerifyHostname(host) == nil {
				return true
			}
		}
	}
	return false
}
