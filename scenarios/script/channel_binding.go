package script

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// bindingOf is what a client binds by that knows its business (RFC 9266 3);
// "" is nothing.
func bindingOf(m login.Mechanism, state tls.ConnectionState) login.Binding {
	switch {
	case !strings.HasSuffix(string(m), "-PLUS"):
		return ""
	case state.Version >= tls.VersionTLS13:
		return login.BindingExporter
	default:
		return login.BindingUnique
	}
}

// bindingData is what a connection is bound by. Where there is no such thing it
// is something of the same length.
func bindingData(b login.Binding, state tls.ConnectionState) ([]byte, error) {
	switch b {
	case "":
		return nil, nil
	case login.BindingExporter:
		if state.Version == 0 {
			break
		}
		return state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32) // RFC 9266 2
	case login.BindingUnique:
		if len(state.TLSUnique) > 0 {
			return state.TLSUnique, nil
		}
		return make([]byte, 12), nil
	case login.BindingEndPoint:
		if len(state.PeerCertificates) > 0 {
			return endPoint(state.PeerCertificates[0]), nil
		}
	}
	return make([]byte, 32), nil
}

// endPoint is the digest of a certificate in the hash that it is signed with,
// SHA-256 at least (RFC 5929 4.1).
func endPoint(c *x509.Certificate) []byte {
	h := sha256.New()
	switch c.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		h = sha512.New384()
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		h = sha512.New()
	}
	h.Write(c.Raw)
	return h.Sum(nil)
}
