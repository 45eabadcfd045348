package judge

import (
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/harness/remote/advice"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The days that a certificate should have left, and had better have.
const (
	soonDays  = 14
	lastMonth = 30
)

// certificates judges each certificate once, however many doors show it.
func (j *judging) certificates() {
	type key struct{ sum, status string }
	at := map[key][]int{}
	var order []key
	for i, d := range j.Doors {
		status := d.Stages[login.StageCertificate]
		if status == "" {
			continue
		}
		k := key{status: status}
		if d.Certificate != nil {
			k.sum = d.Certificate.SHA256
		}
		if at[k] == nil {
			order = append(order, k)
		}
		at[k] = append(at[k], i)
	}
	for _, k := range order {
		j.certificate(at[k], k.status)
	}
	j.differentCertificates()
}

func (j *judging) certificate(doors []int, status string) {
	at, matters := doors[0], false
	if i := slices.IndexFunc(doors, j.wantsTrust); i >= 0 {
		at, matters = doors[i], true
	}
	d := j.Doors[at]
	f := finding{topic: "certificate", door: at, expected: wordOK, outcome: status, problem: advice.BadCertificate,
		refs: []string{"tls/cert/001", "RFC 8314 5.3", "RFC 7817 3"}}
	if status == login.CertificateOtherName {
		f.refs[0] = "tls/cert/002"
	}
	whose := "the certificate of " + j.shownAt(doors)
	switch c := d.Certificate; {
	case status != login.StageOK:
		f.ruling = login.Ruling{Verdict: login.Fail, Reason: because(whose+" is not good: "+status, d.Explained[login.StageCertificate])}
	case c != nil && c.Days < lastMonth:
		f.outcome = "ending"
		f.ruling = login.Ruling{Verdict: login.Pass, Reason: fmt.Sprintf("%s ends in %d days (%s)", whose, c.Days, c.Until)}
		if c.Days < soonDays {
			f.ruling.Verdict = login.Warn
		}
	default:
		f.ruling.Verdict = login.Pass
	}
	if f.ruling.Verdict != login.Pass && !matters {
		f.ruling.Verdict = login.Pass
		f.ruling.Reason += "; between servers TLS is taken as it comes"
	}
	j.add(f)
}

// wantsTrust: what the door shows is for clients that look at it. Between servers
// TLS is taken as it comes (RFC 7435 1), unless users log in there as well.
func (j *judging) wantsTrust(i int) bool {
	return !j.Strangers[i] && (!forServers(j.Doors[i]) || offersLogin(j.Doors[i]))
}

// shownAt names the doors that show it.
func (j *judging) shownAt(doors []int) string {
	if len(doors) > 1 && len(doors) == j.withCertificate() {
		return "all doors"
	}
	all := make([]string, len(doors))
	for n, i := range doors {
		all[n] = j.where(i)
	}
	return listed(all)
}

// withCertificate counts the doors that show one.
func (j *judging) withCertificate() int {
	n := 0
	for _, d := range j.Doors {
		if d.Stages[login.StageCertificate] != "" {
			n++
		}
	}
	return n
}

// differentCertificates: doors of one host that show several are worth a note,
// because one of them is easily forgotten.
func (j *judging) differentCertificates() {
	first := map[string]int{}
	noted := map[string]bool{}
	for i, d := range j.Doors {
		if d.Certificate == nil || d.Certificate.SHA256 == "" {
			continue
		}
		with, seen := first[d.Host]
		switch {
		case !seen:
			first[d.Host] = i
		case !noted[d.Host] && j.Doors[with].Certificate.SHA256 != d.Certificate.SHA256:
			noted[d.Host] = true
			j.add(finding{topic: "one-certificate", door: i, expected: wordAlike, outcome: wordDifferent, refs: []string{"RFC 8314 5.3"},
				ruling: login.Ruling{Verdict: login.Pass,
					Reason: j.where(i) + " shows another certificate than " + j.where(with) + ": both have to be renewed"}})
		}
	}
}
