package harness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
)

// ClientJob is a case of the catalogue's other half: a requirement on clients,
// for one profile.
type ClientJob struct {
	clientcases.Case
	Profile clientsim.Profile
	// Provisional: as in a [CaseJob].
	Provisional bool
}

// clientsArea is how the IDs of clients' cases begin.
const clientsArea = "client"

// clientJobs are the clients' cases that the grid asks for, for each profile:
// all of them where nothing is narrowed, and those that a selection names. One
// that names none says nothing of them, whatever else it means.
func (g Grid) clientJobs(release string, profiles []clientsim.Profile) ([]ClientJob, error) {
	all, provisional, err := compliance.Since(release, clientcases.All(), func(c clientcases.Case) string { return c.Since })
	if err != nil {
		return nil, err
	}
	if len(g.Cases) == 0 {
		if !g.whole() {
			return nil, nil
		}
	} else {
		var named []string
		for _, s := range g.Cases {
			if namesClients(s) {
				named = append(named, s)
			}
		}
		if all, err = SelectClientCases(all, named); err != nil {
			return nil, err
		}
	}
	var jobs []ClientJob
	for _, p := range profiles {
		for _, c := range all {
			if !p.Probe() && !c.Unknown && len(p.Mechanisms(c.Protocol())) > 0 && wants(g.Protocols, c.Protocol()) {
				jobs = append(jobs, ClientJob{Case: c, Profile: p, Provisional: provisional(c)})
			}
		}
	}
	return jobs, nil
}

// namesClients reports whether a selection is about clients' cases: one of its
// terms begins as their IDs do.
func namesClients(selection string) bool {
	return slices.ContainsFunc(strings.Split(selection, "+"), func(term string) bool {
		return strings.HasPrefix(strings.ToLower(strings.TrimSpace(term)), clientsArea)
	})
}

func clientHeader(c clientcases.Case) header { return header{c.ID, c.Level, c.Refs, false} }

// SelectClientCases keeps the clients' cases that one of the selections means:
// see [SelectCases].
func SelectClientCases(all []clientcases.Case, selections []string) ([]clientcases.Case, error) {
	return pick(all, clientHeader, selections)
}

// newClientResult is one of who, a profile or an observed client.
func newClientResult(c clientcases.Case, who string) login.CaseResult {
	return login.CaseResult{ID: c.ID, Title: c.Title, Door: slices.Index(login.Protocols(), c.Protocol()),
		Profile: who, Level: c.Level, Refs: c.Refs}
}

// client runs one clients' case. What a client does in a situation is found out
// once for all cases.
func (r *runner) client(ctx context.Context, j ClientJob) result {
	got := newClientResult(j.Case, j.Profile.ID())
	lab, ok := r.Target.(Laboratory)
	if !ok {
		got.Rule(cannot(&login.CannotError{What: "show what clients say to it"}))
		return result{done: true, compliance: &got}
	}
	conducts := func(s clientcases.Situation) (clientcases.Conduct, bool, error) {
		return r.conduct(ctx, lab, j.Profile, s)
	}
	ruling, decided, err := j.Case.Rule(conducts)
	if err != nil {
		got.Rule(cannot(err))
		return result{done: true, compliance: &got}
	}
	got.Rule(lenient(ruling, j.Provisional))
	got.Reason = r.veil(got.Reason)
	out := result{done: true, compliance: &got}
	if r.kept(got.Verdict) {
		for _, s := range decided {
			did, _, _ := conducts(s) // it is there already
			out.transcript = append(append(out.transcript, "* "+s.Doc), did.Transcript...)
		}
		out.transcript = r.hidden.VeilAll(out.transcript)
	}
	return out
}

// conducts are what profiles did in situations, each found out once.
type conducts struct {
	mu  sync.Mutex
	all map[string]func() behaviour
}

// behaviour is what a profile did in one; ok is false where it cannot be told to
// be in it.
type behaviour struct {
	did clientcases.Conduct
	ok  bool
	err error
}

// conduct is what the profile does in the situation.
func (r *runner) conduct(ctx context.Context, lab Laboratory, p clientsim.Profile, s clientcases.Situation) (clientcases.Conduct, bool, error) {
	key := p.ID() + " " + s.Name
	r.conducts.mu.Lock()
	if r.conducts.all == nil {
		r.conducts.all = map[string]func() behaviour{}
	}
	once, known := r.conducts.all[key]
	if !known {
		once = sync.OnceValue(func() (b behaviour) {
			b.did, b.ok, b.err = r.behave(ctx, lab, p, s)
			return b
		})
		r.conducts.all[key] = once
	}
	r.conducts.mu.Unlock()
	b := once()
	return b.did, b.ok, b.err
}

// behave has the profile log in once in the situation.
func (r *runner) behave(ctx context.Context, lab Laboratory, p clientsim.Profile, s clientcases.Situation) (clientcases.Conduct, bool, error) {
	var none clientcases.Conduct
	config, able := posturedClient(p, s.Case)
	if !able || s.Mode == recording.Opportunistic && !p.Opportunistic(s.Protocol) {
		return none, false, nil
	}
	if r.notIssued != nil {
		return none, false, r.notIssued
	}
	config.Secrets = r.secrets
	config.Secrets.Issued.Tickets = nil // nobody lists a mechanism that has them
	config.Sender = config.Secrets.Name + "@" + login.DefaultDomain
	config.Rand, config.Now, config.Limit = r.Rand, r.Now, r.Limit
	recorder := recording.NewRecorder(s.Case)
	door, err := lab.UnderWitness(ctx, s.Setup(config.Secrets), recorder)
	if err != nil {
		return none, false, err
	}
	config.Door = door
	result := clientsim.Login(ctx, config)
	if err := door.Close(); err != nil { // waits for the last word of every session
		return none, false, err
	}
	switch {
	case ctx.Err() != nil:
		return none, false, ctx.Err()
	case result.Observation.Outcome == login.Error:
		return none, false, fmt.Errorf("%s, %s: %s", p, s.Name, result.Observation.Detail)
	}
	did := conductOf(s, recorder.Events(), r.ear)
	did.Transcript = result.Transcript
	return did, true, nil
}

// conductOf is what a client did, made of what the server's witness was told.
// The ear knows the client's secrets.
func conductOf(s clientcases.Situation, events []login.Event, ear *eavesdropper) clientcases.Conduct {
	did := clientcases.Watch(s.Protocol, events)
	clear, inside := map[int][]wire.Heard{}, map[int][]wire.Heard{}
	var order []int
	for _, e := range events {
		server := e.Kind == login.EventReply
		if !server && e.Kind != login.EventLine {
			continue
		}
		if !slices.Contains(order, e.Connection) {
			order = append(order, e.Connection)
		}
		line := wire.Heard{Server: server, Line: []byte(e.Text)}
		if !e.Encrypted {
			clear[e.Connection] = append(clear[e.Connection], line)
		}
		if e.Encrypted || server { // a timestamp in the greeting serves inside as well
			inside[e.Connection] = append(inside[e.Connection], line)
		}
	}
	for _, connection := range order {
		did.Clear = append(did.Clear, ear.Listen(clear[connection], s.Protocol, login.Plain)...)
		did.Inside = append(did.Inside, ear.Listen(inside[connection], s.Protocol, login.TLS)...)
	}
	return did
}

// against leaves out the clients' cases where the target shows nobody what
// clients say to it, unless they were asked for.
func (p Plan) against(t Target) (Plan, []login.NotTested) {
	isClient := func(j Job) bool { return j.Client != nil }
	if _, ok := t.(Laboratory); ok || len(p.Selection["cases"]) > 0 || !slices.ContainsFunc(p.Jobs, isClient) {
		return p, nil
	}
	p.Jobs = slices.DeleteFunc(slices.Clone(p.Jobs), isClient)
	return p, []login.NotTested{{What: "the cases of clients: nobody sees what they say to this target", Why: login.WhyCannot}}
}

// knownSins are the excuses for what is known of the profiles in the plan.
func knownSins(jobs []Job) []Excuse {
	planned := map[string][]excusable{} // by case
	for _, j := range jobs {
		if c := j.Client; c != nil {
			planned[c.ID] = append(planned[c.ID], excusable{id: c.ID, who: c.Profile.ID()})
		}
	}
	var known []Excuse
	if len(planned) > 0 {
		for _, e := range allKnownSins() {
			id, _, _ := strings.Cut(e.Pattern, "@")
			if slices.ContainsFunc(planned[id], patternOf(e.Pattern).matches) {
				known = append(known, e)
			}
		}
	}
	return known
}

// allKnownSins reads the embedded file. That it is right is tested, so a wrong
// one here is a program that was never tested.
var allKnownSins = sync.OnceValue(func() []Excuse {
	all, err := LoadExcuses(clientcases.KnownFile, clientcases.Known)
	if err != nil {
		panic(err)
	}
	return all
})
