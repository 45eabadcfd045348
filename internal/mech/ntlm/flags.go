package ntlm

// Flags are the options that the two sides agree on (2.2.2.5): the client names what it can do, the server answers with
// what shall be done, the client confirms.
type Flags uint32

// The flags that matter to a login, and those whose absence does.
const (
	FlagUnicode             Flags = 1 << 0  // text is UTF-16LE; wins over FlagOEM
	FlagOEM                 Flags = 1 << 1  // text is in the client's code page
	FlagRequestTarget       Flags = 1 << 2  // the client wants to know the server's name
	FlagSign                Flags = 1 << 4  // messages will be signed afterwards: never granted here
	FlagSeal                Flags = 1 << 5  // messages will be encrypted afterwards: never granted here
	FlagLMKey               Flags = 1 << 7  // session keys from the LM hash; excludes extended session security
	FlagNTLM                Flags = 1 << 9  // always set
	FlagAnonymous           Flags = 1 << 11 // the client claims to be nobody
	FlagDomainSupplied      Flags = 1 << 12 // a type 1 carries a domain
	FlagWorkstationSupplied Flags = 1 << 13 // a type 1 carries a workstation
	FlagAlwaysSign          Flags = 1 << 15 // means nothing without Sign or Seal, and yet every client sets it
	FlagTargetTypeDomain    Flags = 1 << 16 // the target name is a domain's
	FlagTargetTypeServer    Flags = 1 << 17 // the target name is a server's
	FlagExtendedSession     Flags = 1 << 19 // extended session security: a 24-byte NT response is then [Session], not [V1]
	FlagTargetInfo          Flags = 1 << 23 // a type 2 carries attributes, which [V2] repeats
	FlagVersion             Flags = 1 << 25 // the version field is filled
	Flag128                 Flags = 1 << 29 // 128-bit session keys
	FlagKeyExchange         Flags = 1 << 30 // the client picks the session key: never granted here
	Flag56                  Flags = 1 << 31 // 56-bit session keys
)

// Has reports whether every flag of want is set.
func (f Flags) Has(want Flags) bool { return f&want == want }
