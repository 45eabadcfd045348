package certs

import (
	"errors"
	"fmt"
	"time"
)

// Kind says why a certificate or key was refused, in one word that is stable between releases.
type Kind string

const (
	KindDER           Kind = "der"            // DER, not PEM
	KindPKCS7         Kind = "pkcs7"          // PKCS#7
	KindPKCS12        Kind = "pkcs12"         // PKCS#12
	KindEncryptedKey  Kind = "encrypted-key"  // the private key needs a password
	KindKeyMismatch   Kind = "key-mismatch"   // the key is another certificate's
	KindExpired       Kind = "expired"        // the certificate has ended
	KindNotYetValid   Kind = "not-yet-valid"  // the certificate has not begun
	KindNoCertificate Kind = "no-certificate" // a key where a certificate belongs
	KindNoKey         Kind = "no-key"         // a certificate or request where a key belongs
	KindEmpty         Kind = "empty"          // nothing
	KindUnknown       Kind = "unknown"        // nothing that is known, or damaged
	KindCSR           Kind = "csr"            // a request for a certificate
)

// KindOf returns why err refused a certificate or key. It is false for an error that is no such refusal, nil included.
func KindOf(err error) (Kind, bool) {
	var refusal interface {
		error
		Kind() Kind
	}
	if errors.As(err, &refusal) {
		return refusal.Kind(), true
	}
	return "", false
}

// What a FormatError can be about.
const (
	WhatCertificate = "certificate" // the certificate file of Load and Inspect
	WhatKey         = "key"         // the key file of Load
	WhatInput       = "input"       // the file to Convert
)

const convertIt = "convert it with `mailmatrix cert convert --in FILE --out FILE.pem`"

// A FormatError refuses a file for what it is. Its message names the format and, where there is one, the command that helps.
type FormatError struct {
	What string // WhatCertificate, WhatKey or WhatInput
	Have Format // what was found
	Err  error  // why a file of that format could not be read or converted; nil = the format itself is refused
}

// Kind returns the refusal in one word.
func (e *FormatError) Kind() Kind {
	switch e.Have {
	case FormatEmpty:
		return KindEmpty
	case FormatPEMCertificate, FormatDERCertificate, FormatPEMPKCS7, FormatDERPKCS7, FormatPEMCSR, FormatDERCSR:
		if e.What == WhatKey {
			return KindNoKey
		}
	case FormatPEMKey, FormatDERKey, FormatPEMEncryptedKey, FormatDEREncryptedKey:
		if e.What == WhatCertificate {
			return KindNoCertificate
		}
	}
	switch e.Have {
	case FormatDERCertificate, FormatDERKey:
		return KindDER
	case FormatPEMPKCS7, FormatDERPKCS7:
		return KindPKCS7
	case FormatPKCS12:
		return KindPKCS12
	case FormatPEMEncryptedKey, FormatDEREncryptedKey:
		return KindEncryptedKey
	case FormatPEMCSR, FormatDERCSR:
		return KindCSR
	}
	return KindUnknown
}

func (e *FormatError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s (%s) cannot be read: %v", e.What, e.Have, e.Err)
	}
	switch e.Kind() {
	case KindEmpty:
		return e.What + " is empty"
	case KindNoCertificate, KindNoKey:
		return fmt.Sprintf("%s expected, found %s", e.What, e.Have)
	case KindDER:
		return e.What + " is DER, not PEM: " + convertIt
	case KindPKCS7:
		return e.What + " is PKCS#7, not a PEM certificate: " + convertIt
	case KindPKCS12:
		return e.What + " is PKCS#12, not PEM: " + convertIt
	case KindEncryptedKey:
		return e.What + " is encrypted, the server has no password for it: " + convertIt
	case KindCSR:
		return e.What + " is a certificate request: have an authority sign it, or make a certificate with `mailmatrix cert generate`"
	}
	if e.Have == FormatPEMDamaged {
		return e.What + " is damaged PEM: a block is cut off or garbled"
	}
	return e.What + " is neither PEM nor a format that can be converted (DER, PKCS#7, PKCS#12)"
}

// Unwrap returns Err.
func (e *FormatError) Unwrap() error { return e.Err }

// A MismatchError refuses a key that is not the certificate's.
type MismatchError struct {
	Name             string // the certificate's, for the eye
	Certificate, Key string // the kinds of key, as "RSA 2048"
	Position         int    // the certificate in the file to which the key does belong, from 1; 0 = none
}

// Kind returns KindKeyMismatch.
func (e *MismatchError) Kind() Kind { return KindKeyMismatch }

func (e *MismatchError) Error() string {
	if e.Position > 0 {
		return fmt.Sprintf("key does not match the first certificate, of %q, but number %d of the file: put that one first"+
			" (`mailmatrix cert convert` does)", e.Name, e.Position)
	}
	return fmt.Sprintf("key does not match the certificate of %q (certificate: %s, key: %s)", e.Name, e.Certificate, e.Key)
}

// A ValidityError refuses a certificate whose time is over or has not come.
type ValidityError struct {
	Name                string // the certificate's, for the eye
	NotBefore, NotAfter time.Time
	At                  time.Time // when it was looked at
}

// Kind returns KindNotYetValid or KindExpired.
func (e *ValidityError) Kind() Kind {
	if e.At.Before(e.NotBefore) {
		return KindNotYetValid
	}
	return KindExpired
}

func (e *ValidityError) Error() string {
	if e.Kind() == KindNotYetValid {
		return fmt.Sprintf("certificate of %q is not valid before %s UTC", e.Name, utcDate(e.NotBefore))
	}
	return fmt.Sprintf("certificate of %q expired on %s UTC", e.Name, utcDate(e.NotAfter))
}

func utcDate(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// A PasswordError says that a file to convert needs a password, or another one. It never carries the password.
type PasswordError struct {
	Have    Format
	Missing bool // none was given
}

func (e *PasswordError) Error() string {
	if e.Missing {
		return fmt.Sprintf("%s needs a password", e.Have)
	}
	return fmt.Sprintf("wrong password for the %s", e.Have)
}
