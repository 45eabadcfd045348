package certs

import "strings"

// Just enough BER (X.690) to tell what a file is, and what in it a parser for DER would stumble over: encoding/asn1 reads DER only
// and says nothing about what it cannot read.

const (
	tagInteger     = 0x02
	tagOctetString = 0x04
	tagOID         = 0x06
	tagSequence    = 0x30
	constructed    = 0x20 // this bit of the tag: the contents are elements themselves

	maxDepth = 32 // deeper nesting than any format here has
)

// A shape is the tags of a structure's members, in order: enough to tell these formats apart without parsing them.
type shape string

const (
	shapeSigned       shape = "\x30\x30\x03"             // to-be-signed part, algorithm, signature: certificate, request, revocation list
	shapeTBS          shape = "\x02\x30\x30\x30\x30\x30" // serial, algorithm, issuer, validity, subject, key (RFC 5280 s4.1)
	shapeTBSVersioned shape = "\xa0" + shapeTBS          // the same from version 2 on
	shapeRequest      shape = "\x02\x30\x30\xa0"         // version, subject, key, attributes (RFC 2986 s4.1)
	shapePKCS8        shape = "\x02\x30\x04"             // version, algorithm, key (RFC 5958 s2)
	shapePKCS1        shape = "\x02\x02\x02\x02\x02\x02\x02\x02\x02"
	shapeSEC1         shape = "\x02\x04"     // version, key (RFC 5915 s3)
	shapeEncrypted    shape = "\x30\x04"     // algorithm, encrypted data (RFC 5958 s3)
	shapePKCS7        shape = "\x06\xa0"     // content type, content (RFC 2315 s7)
	shapePFX          shape = "\x02\x30"     // version, safe (RFC 7292 s4); without integrity protection
	shapePFXMac       shape = "\x02\x30\x30" // the same with it
)

// shapeOf returns the shape of the sequence that der is. Of those that may have more members than are needed to know them,
// it returns the constant; of anything else that is not a sequence, nothing.
func shapeOf(der []byte) shape {
	e, _, ok := next(der, maxDepth)
	if !ok || e.tag != tagSequence {
		return ""
	}
	var tags strings.Builder
	for _, child := range children(e.body) {
		tags.WriteByte(child.tag)
	}
	all := tags.String()
	for _, s := range []shape{shapeTBS, shapeTBSVersioned, shapeRequest, shapePKCS1, shapePKCS8, shapeSEC1} {
		if strings.HasPrefix(all, string(s)) {
			return s
		}
	}
	return shape(all)
}

// An element is one BER element: its identifier octet and its contents.
type element struct {
	tag        byte
	body       []byte
	indefinite bool // its end is marked, its length not given: BER allows it, DER does not
}

// next splits the first element off b. It is not ok if there is none, or if it goes deeper than depth or over the end.
func next(b []byte, depth int) (e element, rest []byte, ok bool) {
	if depth == 0 || len(b) < 2 || b[0]&0x1f == 0x1f { // no format here has tags of several octets
		return element{}, nil, false
	}
	tag, size := b[0], int(b[1])
	b = b[2:]
	if size == 0x80 {
		return nextIndefinite(tag, b, depth)
	}
	if size > 0x80 {
		n := size & 0x7f
		if n > 3 || n > len(b) { // three octets are 16 MB
			return element{}, nil, false
		}
		size = 0
		for _, octet := range b[:n] {
			size = size<<8 | int(octet)
		}
		b = b[n:]
	}
	if size > len(b) {
		return element{}, nil, false
	}
	return element{tag: tag, body: b[:size]}, b[size:], true
}

// nextIndefinite is next for an element that ends at two zero octets. b begins behind the length.
func nextIndefinite(tag byte, b []byte, depth int) (element, []byte, bool) {
	rest, ok := b, tag&constructed != 0
	for ok {
		if len(rest) >= 2 && rest[0] == 0 && rest[1] == 0 {
			return element{tag: tag, body: b[:len(b)-len(rest)], indefinite: true}, rest[2:], true
		}
		_, rest, ok = next(rest, depth-1)
	}
	return element{}, nil, false
}

// children returns the elements in body, up to the first that is broken.
func children(body []byte) []element {
	var all []element
	for {
		e, rest, ok := next(body, maxDepth)
		if !ok {
			return all
		}
		all, body = append(all, e), rest
	}
}

// walk visits every element in body with the one before it (its tag is 0 for the first). It looks into octet strings that
// hold a sequence too, because PKCS#12 nests its parts that way.
func walk(body []byte, depth int, visit func(before, e element)) {
	if depth == 0 {
		return
	}
	var before element
	for _, e := range children(body) {
		visit(before, e)
		if e.tag&constructed != 0 || e.tag == tagOctetString && shapeOf(e.body) != "" {
			walk(e.body, depth-1, visit)
		}
		before = e
	}
}

// isIndefinite says whether any length in b is indefinite.
func isIndefinite(b []byte) bool {
	found := false
	walk(b, maxDepth, func(_, e element) { found = found || e.indefinite })
	return found
}

// iterations adds up the rounds of key derivation that b asks for. All three ways to write them (RFC 7292 s4 MacData and
// appendix C, RFC 8018 appendix A.2) have the count right behind the salt.
func iterations(b []byte) int64 {
	var sum int64
	walk(b, maxDepth, func(before, e element) {
		if before.tag == tagOctetString && e.tag == tagInteger {
			sum += integer(e.body)
		}
	})
	return sum
}

// integer reads a number that should be small: one of more than four octets counts as the greatest of four, a negative one as 0.
func integer(body []byte) int64 {
	const most = 1<<31 - 1
	if len(body) > 4 {
		return most
	}
	var n int64
	for _, octet := range body {
		n = n<<8 | int64(octet)
	}
	if n > most || len(body) > 0 && body[0]&0x80 != 0 {
		return 0
	}
	return n
}
