package reports

import "github.com/mailmatrix/mailmatrix/internal/login"

// incomplete says why nobody can tell from the report whether the server
// conforms; "" if one can.
func incomplete(r *login.Report) string {
	sum, failed := r.Sum(), r.FailedControl()
	switch {
	case !r.Complete && deployed(r):
		return "it did not come to its end: the deadline came, or somebody interrupted it (--deadline)"
	case !r.Complete:
		return "interrupted: what follows is only what was done"
	case failed != "":
		return "a control failed, so the rest proves nothing: " + failed
	case r.ExitStatus() != 2:
		return ""
	case r.LeftAlone() != "": // before the silence that comes of it
		return "the server was left alone " + ascii(r.LeftAlone())
	case r.SilentDoor() != "":
		return "the door that was asked for does not answer: " + ascii(r.SilentDoor())
	case r.SilentServer() != "":
		return "no door of " + ascii(r.SilentServer()) + " answers: check the name, that the service runs and that no firewall is in the way," +
			" or name its door, as smtp://HOST:PORT"
	case r.UndecidedLogin() != "":
		return ascii(r.UndecidedLogin())
	case sum.Cells == 0:
		return "nothing was measured"
	case sum.Broken > 0:
		return "the harness itself failed in places"
	case sum.Unjudged > 0:
		return "not everything that was measured could be judged"
	case sum.Cells == sum.Skip:
		return "nothing was tested: all of it was skipped"
	case len(r.Expectations) == 0:
		return "what the server must do could not be found out in places"
	default:
		return "what was to be expected was put to no test in places"
	}
}
