package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech/kerberos"
	"github.com/mailmatrix/mailmatrix/server"
)

func newServe(t terminal) *cobra.Command {
	var file string
	var flags serveConfig
	var policy string
	var posture postureFlags
	var quiet bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "run the reference server in the foreground, for real clients",
		Long: `Run the reference server in the foreground until Ctrl-C. It makes an account, a
password and a certificate authority for the occasion, in a folder of its own
that it removes at the end, and prints a curl line to try.

Flags win over the file. A port of 0 is chosen by the system.`,
		Example: `  mailmatrix serve
  mailmatrix serve --policy mine.yaml --database nt --flavour classic
  mailmatrix serve --pop3 1110 --smtp 1587 --certificate cert.pem --key key.pem
  mailmatrix serve --config serve.yaml
  mailmatrix serve --posture S10          what does my client do when CRAM-MD5 is refused?`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := flags.over(file)
			if err != nil {
				return err
			}
			setup, err := config.setup(policy)
			if err != nil {
				return err
			}
			if taken, ok, err := posture.find(); err != nil {
				return err
			} else if ok {
				if err := posture.only(c.Flags()); err != nil {
					return err
				}
				config, setup = under(taken, config)
				if _, err := fmt.Fprintf(t.Out, "posture %s: %s\n\n", taken.Name, taken.Doc); err != nil {
					return err
				}
			}
			logger := slog.New(slog.DiscardHandler)
			if !quiet {
				logger = slog.New(tint.NewTextHandler(t.Err, &tint.Options{TimeFormat: time.TimeOnly, NoColor: !colour(t.Err)}))
			}
			return serve(c.Context(), t, config, setup, logger)
		},
	}
	f := c.Flags()
	f.StringVar(&file, "config", "", "read all of this from a YAML `FILE`")
	f.StringVar(&policy, "policy", "", "settings of the mechanisms, in a YAML `FILE`")
	f.StringVar(&flags.Flavour, "flavour", "", "classic or modern (default modern)")
	f.StringVar(&flags.Database, "database", "", "wingate, nt, full or scram (default wingate)")
	f.StringVar(&flags.Identity, "identity", "", "the server's own name (default: this machine's)")
	f.StringVar(&flags.Listen, "listen", "", "address to listen on (default 127.0.0.1)")
	f.IntVar(&flags.Ports.SMTP, "smtp", 0, "port for SMTP")
	f.IntVar(&flags.Ports.SMTPS, "smtps", 0, "port for SMTP inside TLS, flavour modern")
	f.IntVar(&flags.Ports.POP3, "pop3", 0, "port for POP3")
	f.IntVar(&flags.Ports.POP3S, "pop3s", 0, "port for POP3 inside TLS, flavour modern")
	f.StringVar(&flags.Certificate, "certificate", "", "certificate in a PEM `FILE` (default: made for the occasion)")
	f.StringVar(&flags.Key, "key", "", "its key in a PEM `FILE`")
	f.StringVar(&flags.Keytab, "keytab", "", "keys of smtp/IDENTITY and pop/IDENTITY from your KDC, in a `FILE`; database full")
	posture.register(f)
	f.BoolVarP(&quiet, "quiet", "q", false, "no log of what happens")
	return c
}

// serve runs until ctx ends. What it made on disk is gone afterwards.
func serve(ctx context.Context, t terminal, config serveConfig, setup login.Setup, logger *slog.Logger) (err error) {
	props, err := newProps(config, setup)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, props.remove()) }()
	setup.Accounts = append([]login.Account{props.account}, setup.Accounts[min(1, len(setup.Accounts)):]...)

	// Without the keys of a KDC nobody could get a ticket, so there is no
	// Kerberos to be offered.
	options := []server.Option{server.WithCertificate(props.certificates...), server.WithLogger(logger), server.WithKerberos(nil)}
	if config.Keytab != "" {
		if setup.Database != login.Full {
			return fmt.Errorf("--keytab is of no use to database %s: only %s accepts Kerberos tickets", setup.Database, login.Full)
		}
		service, err := readKeytab(config.Keytab)
		if err != nil {
			return err
		}
		options = append(options, server.WithKerberos(service))
	}
	s, err := server.New(setup, options...)
	if err != nil {
		return err
	}
	if setup.Database == login.Full {
		if err := props.hand(s); err != nil {
			return err
		}
	}
	doors, err := openDoors(config, s)
	if err != nil {
		return err
	}
	if err := s.Deliver(props.account.Name, []byte(welcome)); err != nil {
		return err
	}
	failed := make(chan error, len(doors))
	for _, d := range doors {
		go func() { failed <- s.Serve(d.listener, d.protocol, d.implicit) }()
	}
	if err := announce(t, setup, doors, props); err != nil {
		return errors.Join(err, s.Close())
	}
	select {
	case <-ctx.Done():
	case err = <-failed: // a listener broke: the rest is of no use
	}
	hurry, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if closing := s.Shutdown(hurry); closing != nil && !errors.Is(closing, context.DeadlineExceeded) {
		err = errors.Join(err, closing)
	}
	return err
}

// readKeytab takes the service keys of somebody's KDC.
func readKeytab(name string) (*kerberos.Service, error) {
	data, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, err
	}
	service, err := kerberos.NewService(data, time.Now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return service, nil
}

// welcome is the mail that waits in the mailbox, so that a client has
// something to fetch.
const welcome = "From: mailmatrix@example.test\r\nSubject: it works\r\n\r\nThis client can log in.\r\n"

// shutdownGrace is how long sessions may take to end their command.
const shutdownGrace = 5 * time.Second

// door is a port that is open.
type door struct {
	name     string
	protocol login.Protocol
	implicit bool
	listener net.Listener
}

// openDoors opens every port or none.
func openDoors(config serveConfig, s *server.Server) ([]door, error) {
	wanted := []struct {
		door
		port int
	}{
		{door{name: "smtp", protocol: login.SMTP}, config.Ports.SMTP},
		{door{name: "smtps", protocol: login.SMTP, implicit: true}, config.Ports.SMTPS},
		{door{name: "pop3", protocol: login.POP3}, config.Ports.POP3},
		{door{name: "pop3s", protocol: login.POP3, implicit: true}, config.Ports.POP3S},
	}
	var doors []door
	for _, w := range wanted {
		if w.implicit && !s.Implicit() {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(config.Listen, fmt.Sprint(w.port)))
		if err != nil {
			for _, d := range doors {
				_ = d.listener.Close()
			}
			return nil, fmt.Errorf("port for %s: %w", w.name, err)
		}
		w.listener = l
		doors = append(doors, w.door)
	}
	return doors, nil
}

// announce prints what somebody needs who wants to try a client. Passwords
// stay in their files.
func announce(t terminal, setup login.Setup, doors []door, p *props) error {
	var b strings.Builder
	fmt.Fprintf(&b, "reference server %s, flavour %s, database %s; Ctrl-C ends it\n\n", setup.Identity, setup.Flavour, setup.Database)
	ports := map[string]string{}
	for _, d := range doors {
		upgrade := map[bool]string{true: "TLS from the first octet", false: "STARTTLS"}[d.implicit]
		if d.protocol == login.POP3 && !d.implicit {
			upgrade = "STLS"
		}
		if setup.Certificate.Kind == login.CertNone {
			upgrade = "no TLS"
		}
		fmt.Fprintf(&b, "  %-6s %-22s %s\n", d.name, d.listener.Addr(), upgrade)
		_, ports[d.name], _ = net.SplitHostPort(d.listener.Addr().String())
	}
	b.WriteString("\n  policy   ")
	b.WriteString(policyText(setup.Policy))
	fmt.Fprintf(&b, "\n  account  %s\n  password in %s\n  CA       in %s\n", p.account.Name, p.path("password"), p.ca)
	if setup.Database == login.Full {
		fmt.Fprintf(&b, "  token    in %s, good for 10 hours\n  client certificate in %s, its key in %s\n", p.path("token"), p.path("client.pem"), p.path("client.key"))
	}
	host, _, _ := net.SplitHostPort(doors[0].listener.Addr().String())
	switch ip := net.ParseIP(host); {
	case ip != nil && ip.IsUnspecified():
		host = "127.0.0.1"
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	encrypt := "--ssl-reqd "
	if setup.Posture.Script != nil { // it may be what the posture is about
		encrypt = ""
	}
	fmt.Fprintf(&b, "\ntry it:\n  curl -sS %s--cacert %s --netrc-file %s --resolve %s:%s:%s pop3://%s:%s/1\n\n",
		encrypt, p.ca, p.path("netrc"), setup.Identity, ports["pop3"], host, setup.Identity, ports["pop3"])
	_, err := t.Out.Write([]byte(b.String()))
	return err
}

// policyText is a policy on one line.
func policyText(p login.Policy) string {
	if len(p.Mechanisms()) == 0 {
		return "everything denied"
	}
	one := func(settings map[login.Mechanism]login.Setting) string {
		var words []string
		for _, m := range slices.Sorted(maps.Keys(settings)) {
			words = append(words, fmt.Sprintf("%s %s", m, settings[m]))
		}
		return strings.Join(words, ", ")
	}
	text := one(p.Common)
	for _, protocol := range login.Protocols() {
		if own := one(p.Own[protocol]); own != "" {
			text += fmt.Sprintf("; %s: %s", protocol, own)
		}
	}
	return strings.TrimPrefix(text, "; ")
}
