package harness

import (
	"context"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
)

// OfferIn opens the door for one login in a situation of the clients' cases.
func (o *Observer) OfferIn(s clientcases.Situation) (*Sitting, error) {
	return o.offer(s.Case, s.Setup)
}

// Conduct is what the client has done, as the cases look at it. It is complete
// when the sitting is finished.
func (s *Sitting) Conduct(in clientcases.Situation, ran Ran) clientcases.Conduct {
	did := conductOf(in, s.translation().own(s.recorder.Events(), s.observer.known()), newEavesdropper(s.secrets()))
	did.TimedOut = ran.TimedOut
	return did
}

// SeriesIn is Series for situations: each is told what the client did, or nil
// where it has no such setting.
func (o *Observer) SeriesIn(ctx context.Context, situations []clientcases.Situation, parallel int,
	drive func(context.Context, *Sitting) (ran Ran, applies bool, err error), each func(clientcases.Situation, *clientcases.Conduct)) error {
	return inOrder(ctx, len(situations), parallel, func(i int) (*clientcases.Conduct, error) {
		s, err := o.OfferIn(situations[i])
		if err != nil {
			return nil, err
		}
		record, ran, err := s.sit(ctx, drive)
		if record == nil || err != nil {
			return nil, err
		}
		did := s.Conduct(situations[i], ran)
		return &did, nil
	}, func(i int, did *clientcases.Conduct) { each(situations[i], did) })
}

// JudgeClient is what the cases say of a client, by what it did in the
// situations that it was offered. A situation that is not among them it cannot
// be in.
func JudgeClient(client string, cases []clientcases.Case, did map[string]clientcases.Conduct) []login.CaseResult {
	var results []login.CaseResult
	for _, c := range cases {
		got := newClientResult(c, client)
		ruling, _, _ := c.Rule(func(s clientcases.Situation) (clientcases.Conduct, bool, error) {
			conduct, ok := did[s.Name]
			return conduct, ok, nil
		})
		got.Rule(ruling)
		results = append(results, got)
	}
	return results
}
