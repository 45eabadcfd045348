package harness

import (
	"context"
	"slices"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// denial refuses every login with one answer, where servers give it, and looks what
// the client does: in clear, or inside TLS where it does not log in in clear.
//
// How long a client waits for a silent server is not among its facts: what it
// has shown by then is what it has shown when the connection ends.
func (b *mannersBook) denial(ctx context.Context, p clientsim.Profile, protocol login.Protocol, answer string) (login.Denial, error) {
	for _, t := range []struct {
		transport login.Transport
		mode      recording.Mode
		tls       string
	}{
		{login.Plain, recording.Off, "none"},
		{login.StartTLS, recording.Required, "starttls"},
		{login.TLS, recording.Implicit, "implicit"},
	} {
		if !slices.Contains(p.Transports(protocol), t.transport) {
			continue
		}
		posture := recording.Case{Name: answer, Protocol: protocol, Mode: t.mode, Trust: recording.TrustAuthority, Spec: recording.Spec{
			TLS: t.tls, Mechs: every, APOP: protocol == login.POP3,
		}}
		replies := map[string]string{"*": replyWith(protocol, answer)}
		switch {
		case answer == "535" || answer == "-ERR [AUTH]": // RFC 4954 6, RFC 3206 4: of what was proved, so at the end
			posture.Spec.Reject = replies
		case answer == "530" && t.tls == "none": // RFC 4954 6: it may mean that TLS comes first
			posture.Spec.TLS, posture.Spec.Refuse = "starttls", replies
		default:
			posture.Spec.Refuse = replies
		}
		s, err := b.see(ctx, p, posture)
		if err != nil {
			return login.Denial{}, err
		}
		if len(s.record.Attempts) == 0 {
			continue
		}
		return login.Denial{Does: manner(s, answer), Shows: login.Strongest(s.shown), Transcript: b.keep(s.result.Transcript)}, nil
	}
	return login.Denial{Does: login.DoesNothing}, nil
}

// replyWith is a line with that code; what is no line stays as it is.
func replyWith(protocol login.Protocol, answer string) string {
	enhanced := map[string]string{"454": "4.7.0", "504": "5.5.4", "530": "5.7.0", "534": "5.7.9", "535": "5.7.8", "538": "5.7.11"}
	switch {
	case answer == login.AnswerClose || answer == login.AnswerSilence:
		return login.AnswerClose
	case protocol == login.POP3:
		return answer + " not now"
	default:
		return answer + " " + enhanced[answer] + " not now"
	}
}

// manner reads off the record what the client did after the first refusal.
func manner(s seen, answer string) login.DenialManner {
	times := map[string]int{}
	encrypted := false
	for _, a := range s.record.Attempts {
		times[a.Mech]++
		encrypted = encrypted || a.Ch == recording.Encrypted
	}
	most := 0
	for _, n := range times {
		most = max(most, n)
	}
	switch {
	case answer == login.AnswerSilence:
		return login.DoesWait
	case s.result.Believed:
		return login.DoesBelieve
	case slices.Contains(s.record.UnauthCommands, "MAIL"):
		return login.DoesGoOn
	case encrypted && s.record.StartTLSSent > 0 && s.record.ClientTLS == recording.Off:
		return login.DoesStartTLS
	case most > loopFrom:
		return login.DoesLoop
	case len(times) > 1:
		return login.DoesNext
	case most > 1:
		return login.DoesRetry
	default:
		return login.DoesGiveUp
	}
}

// loopFrom is how often who retries may do so before it is a loop.
const loopFrom = 3
