package mech

// What several mechanisms have in common, in the words of the comparison
// (login.Comparison).
const (
	storedHashes    = "must crack the hashes first, if the server keeps hashes"
	storedCleartext = "logs in: the server must keep the password, or what is as good"
	relayable       = "a proof to relay to the right server, or to crack"
)
