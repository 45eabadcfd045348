package reports

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Reports of checks, made by hand: doors with what they list, findings as a
// judge would word them, and a houseful of clients.

var otherSASL = []login.Mechanism{
	login.DIGESTMD5, login.SCRAMSHA1, login.SCRAMSHA1PLUS, login.SCRAMSHA256, login.SCRAMSHA256PLUS, login.XOAUTH2,
	login.OAUTHBEARER, login.EXTERNAL, login.ANONYMOUS,
}

// allOf are the mechanisms that a ledger has rows for.
func allOf(p login.Protocol) []login.Mechanism {
	if p == login.POP3 {
		return append(slices.Clone(pop3SASL), otherSASL...)
	}
	return append(slices.Clone(smtpSASL), otherSASL...)
}

func remoteReport(addresses ...string) login.Report {
	return login.Report{
		Schema: login.Schema, Tool: "mailmatrix test", Catalogue: "2026.1", Seed: 7, Complete: true, ElapsedMS: 3800,
		Started: time.Date(2026, 11, 23, 3, 4, 5, 0, time.UTC), Vantage: "198.51.100.7, outside the server's own network",
		Targets: []login.TargetResult{{
			Name: "mail.example.com", Kind: "remote", Addresses: addresses, Effort: &login.Effort{Connections: 29, Trips: 71},
		}},
	}
}

type links map[login.Transport][]login.Mechanism

// door adds one that lists these mechanisms.
func door(r *login.Report, p login.Protocol, port int, software string, listed links) *login.DoorResult {
	t := &r.Targets[0]
	d := login.DoorResult{
		Protocol: p, Address: net.JoinHostPort(t.Addresses[0], strconv.Itoa(port)), Host: "mail.example.com", Found: login.FoundPort,
		Software: software, Stages: map[login.Stage]string{login.StageConnect: login.StageOK, login.StageBanner: login.StageOK},
		Policy: map[login.Mechanism]login.Setting{},
	}
	for _, link := range login.Transports() {
		ms, is := listed[link]
		if !is {
			continue
		}
		result := login.TransportResult{Transport: link}
		for _, m := range allOf(p) {
			is := slices.Contains(ms, m)
			row := login.MechanismResult{Mechanism: m, Offered: &is, Setting: login.Unknown}
			if is && p == login.SMTP {
				row.Evidence = "250-AUTH " + strings.ReplaceAll(joined(ms), ";", "")
			}
			result.Mechanisms = append(result.Mechanisms, row)
		}
		d.Transports = append(d.Transports, result)
		if link.Encrypted() {
			d.Implicit = link == login.TLS
			d.Stages[login.StageHandshake], d.Stages[login.StageCertificate] = login.StageOK, login.StageOK
			d.Certificate = &login.CertificateResult{
				Names: []string{"mail.example.com"}, Until: "2026-12-02", Days: 9, Issuer: "Example CA", SHA256: "aa11", Version: login.TLS13,
			}
		}
	}
	t.Doors = append(t.Doors, d)
	settle(&t.Doors[len(t.Doors)-1])
	return &t.Doors[len(t.Doors)-1]
}

// settle reads the settings from the rows.
func settle(d *login.DoorResult) {
	for _, m := range allOf(d.Protocol) {
		d.Policy[m] = login.Unknown
		denied := true
		for _, t := range d.Transports {
			takes, known := t.Of(m).Takes()
			switch {
			case takes && t.Transport == login.Plain:
				d.Policy[m] = login.Allow
			case takes && d.Policy[m] != login.Allow:
				d.Policy[m] = login.Secure
			}
			denied = denied && known && !takes && t.Of(m).Starts != nil
		}
		if denied {
			d.Policy[m] = login.Deny
		}
	}
}

// try sets what an attempt has shown.
func try(d *login.DoorResult, t login.Transport, m login.Mechanism, starts, completes *bool, reply string) {
	for i := range d.Transports {
		for j := range d.Transports[i].Mechanisms {
			if row := &d.Transports[i].Mechanisms[j]; d.Transports[i].Transport == t && row.Mechanism == m {
				row.Starts, row.Completes, row.Reply = starts, completes, reply
			}
		}
	}
	settle(d)
}

func closed(r *login.Report, p login.Protocol, port int, found login.Found, status string) {
	t := &r.Targets[0]
	t.Doors = append(t.Doors, login.DoorResult{
		Protocol: p, Address: net.JoinHostPort(t.Addresses[0], strconv.Itoa(port)), Host: "mail.example.com", Found: found,
		Stages:    map[login.Stage]string{login.StageDNS: login.StageOK, login.StageConnect: status},
		Explained: map[login.Stage]string{login.StageConnect: "nobody takes connections there: is the server running?"},
	})
}

// found adds what a judge thinks of a door.
func found(r *login.Report, id string, at int, t login.Transport, g login.Ruling, refs []string, advice *login.Advice, lines ...string) {
	s := login.ScenarioResult{
		ID: "scenario/door/" + id, Kind: login.KindDoor, Protocol: r.Targets[0].Doors[at].Protocol, Transport: t, Door: &at,
		Refs: refs, Advice: advice, Transcript: keep(r, lines...),
	}
	s.Rule(g)
	r.Scenarios = append(r.Scenarios, s)
}

func requirement(r *login.Report, id, title string, level login.Level, g login.Ruling, refs ...string) {
	c := login.CaseResult{ID: id, Title: title, Level: level, Refs: refs}
	c.Rule(g)
	r.Cases = append(r.Cases, c)
}

// manyRequirements adds so many that pass, and so many that nobody tried.
func manyRequirements(r *login.Report, passed, open int) {
	for i := range passed {
		requirement(r, "smtp/made-up/"+strconv.Itoa(100+i), "Made up", login.Must, login.Ruling{Verdict: login.Pass})
	}
	for i := range open {
		requirement(r, "smtp/made-up/"+strconv.Itoa(500+i), "Made up", login.Should, login.Ruling{Verdict: login.Skip, Why: login.WhyNoCredentials})
	}
}

// foretell adds the cells of a client: for each protocol and transport that it
// has, whether it logs in, and what a listener gets.
func foretell(r *login.Report, profile string, how login.Confidence, protocol login.Protocol, in map[login.Transport]bool, clear login.ExposureClass) {
	for _, t := range login.Transports() {
		logs, has := in[t]
		if !has {
			continue
		}
		c := login.CellResult{
			Flavour: login.Remote, Protocol: protocol, Transport: t, Mechanism: login.Auto, Setting: login.Unknown, Profile: profile,
			Database: "unknown", Override: login.NoOverride, Credential: login.WithAccount, Outcome: login.NotOffered, Basis: login.Predicted,
			Confidence: how,
		}
		c.ID = "remote/" + string(protocol) + "/" + string(t) + "/auto/unknown/" + profile + "/unknown/none/account"
		if logs {
			c.Outcome, c.Used = login.LoggedIn, login.PLAIN
		}
		if t == login.Plain {
			c.Exposure = clear
		}
		r.Cells = append(r.Cells, c)
	}
}

// household is 45 clients at a server with STARTTLS for both protocols, and
// port 995.
func household(r *login.Report, clear login.ExposureClass) {
	logs := clear == login.ShowsPassword
	smtp := map[login.Transport]bool{login.Plain: logs, login.StartTLS: true}
	pop3 := map[login.Transport]bool{login.Plain: false, login.StartTLS: true, login.TLS: true}
	for i := range 42 {
		how := login.Observed
		if i >= 33 {
			how = login.Vendor
		}
		name := "client-" + strconv.Itoa(i+1)
		foretell(r, name, how, login.SMTP, smtp, clear)
		foretell(r, name, how, login.POP3, pop3, login.ShowsNothing)
	}
	foretell(r, "outlook-2016", login.Vendor, login.SMTP, smtp, clear)
	foretell(r, "outlook-2016", login.Vendor, login.POP3, map[login.Transport]bool{login.Plain: false, login.TLS: true}, login.ShowsNothing)
	foretell(r, "fetchmail", login.Source, login.POP3, map[login.Transport]bool{login.Plain: false, login.StartTLS: false, login.TLS: true}, login.ShowsNothing)
	foretell(r, "outlook-express-6", login.Reported, login.SMTP, map[login.Transport]bool{login.StartTLS: false, login.TLS: false}, login.ShowsNothing)
	foretell(r, "outlook-express-6", login.Reported, login.POP3, map[login.Transport]bool{login.TLS: false}, login.ShowsNothing)
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Profile == "outlook-express-6" {
			c.Outcome = login.NoTLS
		}
	}
	for profile, title := range map[string]string{"outlook-2016": "Outlook 2016", "outlook-express-6": "Outlook Express 6", "client-3": "Eudora 7.1"} {
		r.Clients = append(r.Clients, login.ClientDescription{
			Profile: profile, Title: title, Facts: map[login.Confidence]int{}, Protocols: []login.ClientManners{},
		})
	}
	slices.SortFunc(r.Clients, func(a, b login.ClientDescription) int { return strings.Compare(a.Profile, b.Profile) })
	r.Clients[0].Protocols = []login.ClientManners{{
		Protocol: login.SMTP, Denials: map[string]login.Denial{},
		Floors: map[login.Encryption]login.Floor{login.EncryptIfAvailable: {Rung: login.RungStripped, Gives: login.ShowsPassword}},
	}}
}

func notTriedYet(r *login.Report) {
	r.NotTested = []login.NotTested{
		{What: "do hidden mechanisms work?", Why: login.WhyOperator, Flag: "--probe: no password, 9 connections, about 3 lines that fail2ban would count"},
		{What: "do the offered ones work? relay?", Why: login.WhyOperator, Flag: "--login --authorized: 1 account, 6 logins"},
		{What: "IMAP (143, 993 are open)", Why: login.WhyNotApplicable},
	}
}

var plainLogin = []login.Mechanism{login.PLAIN, login.LOGIN}

// checkReport is the screen that was aimed at.
func checkReport() login.Report {
	r := remoteReport("192.0.2.10", "2001:db8::10")
	door(&r, login.SMTP, 25, "Postfix", links{login.Plain: plainLogin, login.StartTLS: plainLogin})
	door(&r, login.SMTP, 587, "Postfix", links{login.Plain: nil, login.StartTLS: plainLogin})
	closed(&r, login.SMTP, 465, login.FoundPort, "refused")
	pop3 := []login.Mechanism{login.UserPass, login.PLAIN}
	door(&r, login.POP3, 110, "Dovecot", links{login.Plain: nil, login.StartTLS: pop3})
	door(&r, login.POP3, 995, "Dovecot", links{login.TLS: pop3})
	found(&r, "clear/smtp/25/plain", 0, login.Plain,
		login.Ruling{Verdict: login.Fail, Reason: "port 25 offers PLAIN and LOGIN without TLS: a client that logs in there shows its password"},
		[]string{"both/policy/011", "RFC 8314 4.1"},
		&login.Advice{
			Software: "Postfix", Fix: []string{"smtpd_tls_auth_only = yes", "(on 25: smtpd_sasl_auth_enable = no)"},
			Command: "openssl s_client -starttls smtp -connect mail.example.com:25 -servername mail.example.com -crlf -quiet",
		},
		"S 220 mail.example.com ESMTP Postfix", "C EHLO mailmatrix.invalid", "S 250-mail.example.com", "S 250-AUTH PLAIN LOGIN",
		"S 250-STARTTLS", "S 250 CHUNKING", "C STARTTLS", "S 220 go ahead", "C+ EHLO mailmatrix.invalid", "S+ 250 AUTH PLAIN LOGIN")
	found(&r, "closed/smtp/465", 2, "",
		login.Ruling{Verdict: login.Warn, Reason: "port 465 is closed: 3 clients try it first and then wait for a time-out"},
		[]string{"RFC 8314 3.3"}, &login.Advice{Software: "Postfix", Fix: []string{"master.cf: smtps inet n - y - - smtpd -o smtpd_tls_wrappermode=yes"}})
	found(&r, "lists/smtp/587/starttls", 1, login.StartTLS, login.Ruling{Verdict: login.Pass}, nil, nil)
	for _, note := range []string{"25 is a door for other servers: clients should use 587", "110 offers STLS, and 995 is open as well"} {
		found(&r, "hygiene/"+note[:3], 0, "", login.Ruling{Verdict: login.Pass, Reason: note}, nil, nil)
	}
	requirement(&r, "tls/cert/001", "Chain verifies, in time, complete", login.Should,
		login.Ruling{Verdict: login.Warn, Reason: "the certificate ends in 9 days (2026-12-02), the same one on all doors"}, "RFC 5280 4.1.2.5")
	manyRequirements(&r, 57, 74)
	household(&r, login.ShowsPassword)
	notTriedYet(&r)
	r.Count()
	return r
}

// conformingReport is Debian's stock Postfix and Dovecot with a good certificate.
func conformingReport() login.Report {
	r := remoteReport("192.0.2.10")
	r.Targets[0].Effort.Connections = 17
	door(&r, login.SMTP, 25, "Postfix", links{login.Plain: nil, login.StartTLS: nil})
	pop3 := []login.Mechanism{login.UserPass, login.PLAIN}
	door(&r, login.POP3, 110, "Dovecot", links{login.Plain: nil, login.StartTLS: pop3})
	door(&r, login.POP3, 995, "Dovecot", links{login.TLS: pop3})
	closed(&r, login.SMTP, 587, login.FoundPort, "refused")
	closed(&r, login.SMTP, 465, login.FoundPort, "refused")
	for i := range r.Targets[0].Doors {
		if c := r.Targets[0].Doors[i].Certificate; c != nil {
			c.Days, c.Until = 83, "2027-02-14"
		}
	}
	found(&r, "lists/pop3/110/starttls", 1, login.StartTLS, login.Ruling{Verdict: login.Pass}, nil, nil)
	found(&r, "closed/smtp/587", 3, "", login.Ruling{Verdict: login.Pass, Reason: "ports 587 and 465 are closed: nobody hands in mail here"}, nil, nil)
	manyRequirements(&r, 61, 0)
	foretell(&r, "curl", login.Observed, login.POP3, map[login.Transport]bool{login.Plain: false, login.StartTLS: true, login.TLS: true}, login.ShowsNothing)
	// It speaks no TLS, and the server wants nothing else.
	foretell(&r, "py-poplib", login.Observed, login.POP3, map[login.Transport]bool{login.Plain: false}, login.ShowsNothing)
	notTriedYet(&r)
	r.NotTested = r.NotTested[:2]
	r.Count()
	return r
}

// probedReport is a check with --probe, --login and a declared policy.
func probedReport() login.Report {
	r := remoteReport("192.0.2.10")
	r.Selection = map[string][]string{"policy": {"modern.yaml"}}
	r.Targets[0].Effort = &login.Effort{Connections: 41, Trips: 160, Passwords: 7, Auths: 4}
	yes, no := true, false
	all := []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5}
	d := door(&r, login.SMTP, 587, "Postfix", links{login.Plain: nil, login.StartTLS: all[:1]})
	try(d, login.Plain, login.PLAIN, &no, &no, "530 5.7.0 Must issue a STARTTLS command first")
	try(d, login.Plain, login.LOGIN, &no, &no, "530 5.7.0 Must issue a STARTTLS command first")
	try(d, login.StartTLS, login.PLAIN, nil, &yes, "235 2.7.0 Authentication successful")
	try(d, login.StartTLS, login.LOGIN, &yes, &yes, "235 2.7.0 Authentication successful")
	for _, m := range allOf(login.SMTP)[2:] {
		try(d, login.Plain, m, &no, nil, "530 5.7.0 Must issue a STARTTLS command first")
		try(d, login.StartTLS, m, &no, nil, "535 5.7.8 Error: authentication failed: Invalid authentication mechanism")
	}
	d = door(&r, login.SMTP, 465, "Postfix", links{login.TLS: all})
	try(d, login.TLS, login.CRAMMD5, &yes, &no, "535 5.7.8 Error: authentication failed")
	try(d, login.TLS, login.PLAIN, nil, &yes, "235 2.7.0 Authentication successful")
	d = door(&r, login.POP3, 110, "Dovecot", links{login.Plain: nil, login.StartTLS: {login.UserPass}})
	d.Transports[0].Mechanisms[0].Offered = nil
	try(d, login.Plain, login.UserPass, &yes, nil, "+OK")
	found(&r, "denied-taken/smtp/587/starttls/LOGIN", 0, login.StartTLS,
		login.Ruling{Verdict: login.Fail, WronglyAccepted: true, Reason: "port 587 logs in with LOGIN inside TLS, although the policy denies it and the list hides it"},
		[]string{"RFC 4954 4"}, &login.Advice{
			Software: "Postfix", Fix: []string{"smtpd_sasl_mechanism_filter only hides: take login out of Dovecot's auth_mechanisms"},
			Command: "swaks --server mail.example.com --port 587 --tls --auth LOGIN --auth-user USER --quit-after AUTH",
		}, "C+ EHLO mailmatrix.invalid", "S+ 250 AUTH PLAIN", "C+ AUTH LOGIN", "S+ 334 VXNlcm5hbWU6", "C+ <user>", "S+ 334 UGFzc3dvcmQ6",
		"C+ <secret>", "S+ 235 2.7.0 Authentication successful", "C+ QUIT", "S+ 221 2.0.0 Bye")
	found(&r, "offered-refused/smtp/465/tls/CRAM-MD5", 1, login.TLS,
		login.Ruling{Verdict: login.Fail, WronglyRefused: true, Reason: "port 465 offers CRAM-MD5 and refuses the right password: clients that choose it cannot log in"},
		[]string{"RFC 4954 4"}, &login.Advice{
			Software: "Postfix", Fix: []string{"smtpd_sasl_mechanism_filter = !cram-md5, static:rest", "or store passwords in clear, which CRAM-MD5 needs"},
			Command: "swaks --server mail.example.com --port 465 --tls-on-connect --auth CRAM-MD5 --auth-user USER --quit-after AUTH",
		}, "C+ AUTH CRAM-MD5", "S+ 334 <challenge>", "C+ <proof>", "S+ 535 5.7.8 Error: authentication failed")
	requirement(&r, "smtp/auth/003", "AUTH within a mail transaction is refused", login.Must,
		login.Ruling{Verdict: login.Fail, Reason: "expected 503, got 235"}, "RFC 4954 4")
	manyRequirements(&r, 80, 3)
	foretell(&r, "curl", login.Observed, login.SMTP, map[login.Transport]bool{login.Plain: false, login.StartTLS: true, login.TLS: true}, login.ShowsNothing)
	foretell(&r, "emacs-smtpmail", login.Source, login.SMTP, map[login.Transport]bool{login.StartTLS: true, login.TLS: false}, login.ShowsVerifier)
	for i, outcome := range []login.Outcome{login.LoggedIn, login.LoggedIn, login.Refused} {
		c := r.Cells[i]
		c.Basis, c.Attempted, c.Outcome, c.Verdict, c.ID = "measured", true, outcome, login.Pass, "live/"+c.ID
		if i == 2 {
			c.Profile, c.Verdict, c.Reason = "emacs-smtpmail", login.Fail, "foretold to log in, and refused"
		}
		r.Cells = append(r.Cells, c)
	}
	r.NotTested = []login.NotTested{
		{What: "do LOGIN, NTLM and 9 others hide at mail.example.com:110? the budget is spent", Why: login.WhyBudget, Flag: "--max-failures 14"},
		{What: "GSSAPI", Why: login.WhyNoCredentials, Flag: "--account-file"},
	}
	r.Count()
	return r
}

// silentReport is about a door that the user named, and that says nothing.
func silentReport() login.Report {
	r := remoteReport("192.0.2.10")
	r.Targets[0].Effort.Connections = 1
	closed(&r, login.SMTP, 587, login.FoundNamed, "timeout")
	found(&r, "silent/smtp/587", 0, "", login.Ruling{
		Verdict: login.Skip, Why: login.WhyInconclusive, Reason: "nothing takes connections at 192.0.2.10:587: is a firewall in the way?",
	}, nil, nil)
	r.Count()
	return r
}

// differingReport has another server behind IPv6, and two MX hosts.
func differingReport() login.Report {
	r := conformingReport()
	r.Targets[0].Addresses = []string{"192.0.2.10", "2001:db8::10", "2001:db8::11 not reached"}
	found(&r, "family/pop3/110", 1, "", login.Ruling{
		Verdict: login.Warn, Reason: "port 110 says something else at 2001:db8::10: CRAM-MD5 is offered there inside TLS as well",
	}, nil, nil)
	door(&r, login.SMTP, 25, "Exim", links{login.Plain: nil, login.StartTLS: nil}).Host = "mx2.example.com"
	d := door(&r, login.SMTP, 25, "", links{login.Plain: plainLogin})
	d.Host, d.Greeting = "mx3.example.net\x1b[31m", "220 \x1b[2J"
	found(&r, "clear/smtp/25/mx3", len(r.Targets[0].Doors)-1, login.Plain,
		login.Ruling{Verdict: login.Fail, Reason: "port 25 of mx3.example.net offers PLAIN and LOGIN without TLS"}, []string{"RFC 8314 4.1"},
		&login.Advice{Fix: []string{"offer logins inside TLS only, or none on this port"}}, "C EHLO mailmatrix.invalid", "S 250 AUTH PLAIN LOGIN \x1b]0;x\x07")
	r.Count()
	return r
}

// blindReport was made on the server itself, and stopped.
func blindReport() login.Report {
	r := checkReport()
	r.Vantage = "127.0.0.1"
	r.Targets[0].Effort.Stopped = "421 4.7.0 Too many errors: it has had enough"
	r.Scenarios = r.Scenarios[1:]
	r.Cells, r.Clients = nil, nil
	for i, t := range []string{"25", "587"} {
		found(&r, "clear/"+t, i, login.Plain, login.Ruling{
			Verdict: login.Skip, Why: login.WhyVantage, Reason: "many servers trust who comes from their own address: look from elsewhere, or give --source",
		}, nil, nil)
	}
	r.NotTested = append(r.NotTested, login.NotTested{What: "hidden mechanisms on ports 587 and 110", Why: login.WhyBudget, Flag: "--max-failures 14"})
	for i := range r.Targets[0].Doors {
		if d := &r.Targets[0].Doors[i]; d.Certificate != nil && d.Protocol == login.POP3 {
			d.Certificate.SHA256, d.Certificate.Days, d.Stages[login.StageCertificate] = "bb22", -3, login.CertificateExpired
		}
	}
	r.Count()
	return r
}

// crowdedReport has more to say than a screen holds.
func crowdedReport() login.Report {
	r := remoteReport("192.0.2.10")
	all := append(slices.Clone(smtpSASL), otherSASL...)
	for _, port := range []int{25, 587, 2525} {
		door(&r, login.SMTP, port, "Cyrus", links{login.Plain: all[2:7], login.StartTLS: all})
	}
	door(&r, login.SMTP, 465, "Cyrus", links{login.TLS: all[:9]})
	door(&r, login.POP3, 110, "Cyrus", links{login.Plain: append(all[2:5:5], login.UserPass, login.APOP), login.StartTLS: all[:7]})
	door(&r, login.POP3, 995, "Cyrus", links{login.TLS: all[:3]})
	for i := range 30 {
		id := strconv.Itoa(10 + i)
		verdict := login.Fail
		if i%3 > 0 {
			verdict = login.Warn
		}
		found(&r, "crowd/"+id, i%6, login.Plain, login.Ruling{Verdict: verdict, Reason: "finding " + id + " of a server of which there is much to say, in a sentence that is too long for a line"},
			[]string{"RFC 4954 4", "RFC 8314 4.1", "both/policy/0" + id}, &login.Advice{Software: "Cyrus", Fix: []string{"sasl_mech_list: PLAIN", "allowplaintext: no"},
				Command: "openssl s_client -starttls smtp -connect mail.example.com:25 -servername 'mail example com' -crlf -quiet -verify_return_error"})
	}
	manyRequirements(&r, 40, 70)
	household(&r, login.ShowsVerifier)
	notTriedYet(&r)
	for i := range 5 {
		r.NotTested = append(r.NotTested, login.NotTested{What: "question " + strconv.Itoa(i), Why: login.WhyRisk})
	}
	r.Count()
	return r
}
