package harness

import (
	"context"
	"slices"
	"sync"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// Manners says of each client how it behaves towards a server that goes
// wrong: its credential floors, and what it does when it is denied. Sessions
// are simulated as a whole, in the recorder's laboratory. An error is ours.
func Manners(ctx context.Context, lab Laboratory, profiles []clientsim.Profile, parallel int) (Book, error) {
	b := &mannersBook{lab: lab, ear: newEavesdropper(recording.Secrets())}
	results := make([]login.ClientDescription, len(profiles))
	errs := make([]error, len(profiles))
	inParallel(ctx, len(profiles), parallel, func(i int) { results[i], errs[i] = b.client(ctx, profiles[i]) })
	for _, err := range errs {
		if err != nil {
			return Book{}, err
		}
	}
	return Book{Clients: slices.DeleteFunc(results, func(r login.ClientDescription) bool { return r.Profile == "" }), Transcripts: b.transcripts}, ctx.Err()
}

// Book is what [Manners] found. The transcripts of its results are rows here.
type Book struct {
	Clients     []login.ClientDescription
	Transcripts [][]string
}

type mannersBook struct {
	lab Laboratory
	ear *eavesdropper

	mu          sync.Mutex
	transcripts [][]string
}

// describe says who a client is, and nothing of its manners.
func describe(p clientsim.Profile) login.ClientDescription {
	return login.ClientDescription{Profile: p.ID(), Title: p.Title, Family: p.Family, Version: p.Version,
		Facts: p.FactsByConfidence(), Protocols: []login.ClientManners{}}
}

func (b *mannersBook) client(ctx context.Context, p clientsim.Profile) (login.ClientDescription, error) {
	result := describe(p)
	for _, protocol := range login.Protocols() {
		if len(p.Mechanisms(protocol)) == 0 {
			continue
		}
		m := login.ClientManners{Protocol: protocol, Floors: map[login.Encryption]login.Floor{}, Denials: map[string]login.Denial{}}
		for _, e := range login.Encryptions() {
			if !encrypts(p, protocol, e) {
				continue
			}
			floor, err := b.floor(ctx, p, protocol, e)
			if err != nil {
				return login.ClientDescription{}, err
			}
			m.Floors[e] = floor
		}
		for _, answer := range login.Denials(protocol) {
			denial, err := b.denial(ctx, p, protocol, answer)
			if err != nil {
				return login.ClientDescription{}, err
			}
			m.Denials[answer] = denial
		}
		result.Protocols = append(result.Protocols, m)
	}
	return result, nil
}

// keep takes in a transcript and returns its row.
func (b *mannersBook) keep(transcript []string) *int {
	b.mu.Lock()
	defer b.mu.Unlock()
	row := len(b.transcripts)
	b.transcripts = append(b.transcripts, transcript)
	return &row
}

// encrypts reports whether the client has that setting.
func encrypts(p clientsim.Profile, protocol login.Protocol, e login.Encryption) bool {
	switch e {
	case login.EncryptRequired:
		return slices.Contains(p.Transports(protocol), login.StartTLS)
	case login.EncryptIfAvailable:
		return p.Opportunistic(protocol)
	default:
		return slices.Contains(p.Transports(protocol), login.Plain)
	}
}

var modes = map[login.Encryption]recording.Mode{
	login.EncryptRequired: recording.Required, login.EncryptIfAvailable: recording.Opportunistic, login.EncryptOff: recording.Off,
}

// every is what the laboratory's servers offer: what hides the password
// first.
var every = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "NTLM", "LOGIN", "PLAIN"}

// weak are those that show it.
var weak = []string{"LOGIN", "PLAIN"}

// seen is what came of one simulated session.
type seen struct {
	record recording.Record
	result clientsim.Result
	shown  []login.Exposure
}

func (b *mannersBook) see(ctx context.Context, p clientsim.Profile, posture recording.Case) (seen, error) {
	record, result, err := simulate(ctx, b.lab, p, posture)
	s := seen{record: record, result: result}
	for _, tap := range result.Taps {
		s.shown = append(s.shown, b.ear.Listen(tap.Lines(), posture.Protocol, login.Plain)...)
	}
	return s, err
}
