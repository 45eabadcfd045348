package main

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/harness/remote/ledger"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// remoteFlags are how a server in service is asked, for every verb that does.
type remoteFlags struct {
	resolve, trust           []string
	source, proxy            string
	autoconfig, tls          bool
	probe, login, authorized bool
	cleartext, lab           bool
	maxFailures, parallel    int
	deadline, wait           time.Duration
	accountFile              string

	accounts accounts // of accountFile
}

func (f *remoteFlags) register(c *cobra.Command) {
	f.route(c.Flags())
	f.manner(c.Flags())
	f.depth(c.Flags())
}

// route are the flags of who only looks: the way to the doors.
func (f *remoteFlags) route(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.trust, "trust", nil, "take certificates of this authority, in a PEM `FILE`, or the one with this sum, sha256:HEX")
	flags.StringArrayVar(&f.resolve, "resolve", nil, "take `HOST:PORT:ADDRESS` for that, PORT may be *; an address of IPv6 in brackets")
	flags.StringVar(&f.source, "source", "", "come from this `ADDRESS` of this machine")
	flags.StringVar(&f.proxy, "proxy", "", "connect through `socks5://HOST:PORT`")
	flags.BoolVar(&f.autoconfig, "autoconfig", false, "look for doors with Thunderbird's and Microsoft's services, too, by HTTPS")
	flags.IntVar(&f.parallel, "parallel", 0, "how many connections at once (default 4)")
	flags.DurationVar(&f.deadline, "deadline", 0, "how long it may take in all (default 2m, of a laboratory 15m)")
	flags.DurationVar(&f.wait, "wait", 0, "how long to wait for named doors that do not greet yet")
}

// manner are the flags of what is done behind them.
func (f *remoteFlags) manner(flags *pflag.FlagSet) {
	flags.BoolVar(&f.probe, "probe", false, "send AUTH without any secret: are hidden ways in open?")
	flags.BoolVar(&f.login, "login", false, "log in, with MAILMATRIX_USER and MAILMATRIX_PASSWORD or --account-file")
	flags.BoolVar(&f.authorized, "authorized", false, "your word that this server is yours to test; --login needs it")
	flags.StringVar(&f.accountFile, "account-file", "", "accounts with roles, in this YAML `FILE`")
	flags.BoolVar(&f.cleartext, "allow-cleartext", false, "let the password cross a clear link")
	flags.BoolVar(&f.lab, "lab", false, "a server to be thrown away, on a private address: probe, login, cleartext, any certificate, no budget, every case")
	flags.IntVar(&f.maxFailures, "max-failures", 0, "how many refused passwords, and how many refused AUTHs, the server may see (default 3 and 4)")
}

// depth are those of who judges as well.
func (f *remoteFlags) depth(flags *pflag.FlagSet) {
	flags.BoolVar(&f.tls, "tls", false, "TLS in depth as well: ciphers, groups, tickets, ALPN; some fifty handshakes for each protocol")
}

// options turns the flags, and the arguments that name the server, into a
// request. Nothing has been sent by then.
func (f *remoteFlags) options(t terminal, c *cobra.Command, args []string) (discover.Asked, remote.Options, error) {
	o := remote.Options{
		Tool: "mailmatrix " + version, Autoconfig: f.autoconfig, Probe: f.probe, Login: f.login, Cleartext: f.cleartext, Lab: f.lab, TLS: f.tls,
		Deadline: f.deadline, Wait: f.wait,
	}
	if err := noEmptyFlag(c); err != nil {
		return discover.Asked{}, o, err
	}
	if len(args) == 0 {
		return discover.Asked{}, o, fmt.Errorf("name a server: %s mail.example.com, or its doors: smtp://mail.example.com:587", c.CommandPath())
	}
	asked, err := discover.Parse(args)
	if err != nil {
		return asked, o, err
	}
	if err := f.sensible(c); err != nil {
		return asked, o, err
	}
	o.Limits.Passwords, o.Limits.Auths, o.Limits.Connections = f.maxFailures, f.maxFailures, f.parallel
	if err := f.way(&o.Route); err != nil {
		return asked, o, err
	}
	if o.Trust, err = f.trusted(); err != nil {
		return asked, o, err
	}
	// A plan sends nothing, so that nobody has to be named for it.
	if plan := c.Flags().Lookup("plan"); (f.login || f.lab) && (plan == nil || !plan.Changed) {
		err = f.account(t, &o)
	}
	return asked, o, err
}

// sensible refuses flags that would do nothing, or not what they seem to.
func (f *remoteFlags) sensible(c *cobra.Command) error {
	given := c.Flags().Changed
	logsIn := f.login || f.lab
	switch {
	case f.login && !f.authorized && !f.lab:
		return errors.New("--login sends a password: add --authorized, your word that this server is yours to test")
	case f.cleartext && !logsIn:
		return errors.New("--allow-cleartext permits a password on a clear link, and without --login none is sent")
	case given("authorized") && !logsIn:
		return errors.New("--authorized is your word for --login: add that, or leave --authorized out")
	case given("account-file") && !logsIn:
		return errors.New("--account-file names who logs in, and nobody does: add --login --authorized, or --lab")
	case f.lab && given("max-failures"):
		return errors.New("--max-failures is a budget, and --lab has none: leave one of them out")
	case f.lab && given("proxy"):
		return errors.New("--lab is for a private address, and nobody can know which one --proxy reaches: leave one of them out")
	case given("max-failures") && f.maxFailures < 1:
		return fmt.Errorf("--max-failures wants a number, 1 or more, not %d", f.maxFailures)
	case given("parallel") && f.parallel < 1:
		return fmt.Errorf("--parallel wants a number, 1 or more, not %d", f.parallel)
	case given("deadline") && f.deadline <= 0:
		return fmt.Errorf("--deadline wants a time such as 2m, not %s", f.deadline)
	case f.wait < 0:
		return fmt.Errorf("--wait wants a time such as 30s, not %s", f.wait)
	default:
		return nil
	}
}

// selection are the flags that were given, for the report. Of a proxy its user
// and password are left out.
func (f *remoteFlags) selection(c *cobra.Command) map[string][]string {
	selection := map[string][]string{}
	for _, flag := range givenOf(c, (*remoteFlags).route, (*remoteFlags).manner, (*remoteFlags).depth) {
		selection[flag.Name] = []string{flag.Value.String()}
		if list, several := flag.Value.(pflag.SliceValue); several {
			selection[flag.Name] = list.GetSlice()
		}
	}
	delete(selection, "proxy")
	if proxy, err := url.Parse(f.proxy); err == nil && f.proxy != "" {
		selection["proxy"] = []string{proxy.Scheme + "://" + proxy.Host}
	}
	return selection
}

// givenOf are those of some flags that were given.
func givenOf(c *cobra.Command, groups ...func(*remoteFlags, *pflag.FlagSet)) []*pflag.Flag {
	var names pflag.FlagSet
	for _, group := range groups {
		group(new(remoteFlags), &names)
	}
	var given []*pflag.Flag
	names.VisitAll(func(f *pflag.Flag) {
		if flag := c.Flags().Lookup(f.Name); flag != nil && flag.Changed {
			given = append(given, flag)
		}
	})
	return given
}

func (f *remoteFlags) way(r *reach.Route) error {
	for _, text := range f.resolve {
		fixed, err := parseFixed(text)
		if err != nil {
			return err
		}
		r.Fixed = append(r.Fixed, fixed)
	}
	if f.source != "" {
		addr, err := netip.ParseAddr(f.source)
		if err != nil {
			return fmt.Errorf("--source wants an address of this machine, such as 192.0.2.7, not %q", f.source)
		}
		r.Source = addr
	}
	if f.proxy != "" {
		proxy, err := url.Parse(f.proxy)
		if err != nil || proxy.Scheme != "socks5" || proxy.Host == "" {
			return errors.New("--proxy wants socks5://HOST:PORT") // it may hold a password
		}
		r.Proxy = proxy
	}
	return nil
}

// parseFixed understands HOST:PORT:ADDRESS, as curl does.
func parseFixed(text string) (reach.Fixed, error) {
	wrong := fmt.Errorf("--resolve wants HOST:PORT:ADDRESS, such as mail.example.com:587:192.0.2.7, not %q", text)
	host, rest, ok := strings.Cut(text, ":")
	port, address, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || host == "" {
		return reach.Fixed{}, wrong
	}
	addr, err := netip.ParseAddr(strings.Trim(address, "[]"))
	if err != nil {
		return reach.Fixed{}, wrong
	}
	fixed := reach.Fixed{Host: host, Addr: addr}
	if port != "*" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return reach.Fixed{}, wrong
		}
		fixed.Port = uint16(n)
	}
	return fixed, nil
}

func (f *remoteFlags) trusted() (reach.Trust, error) {
	var trust reach.Trust
	for _, text := range f.trust {
		if sum, pinned := strings.CutPrefix(text, "sha256:"); pinned {
			octets, err := hex.DecodeString(strings.ReplaceAll(sum, ":", ""))
			if err != nil || len(octets) != 32 {
				return trust, fmt.Errorf("--trust sha256: wants the 64 hexadecimal digits of a certificate's SHA-256 sum, not %q", sum)
			}
			trust.Pins = append(trust.Pins, [32]byte(octets))
			continue
		}
		pem, err := os.ReadFile(text) //nolint:gosec // the user names the file
		if err != nil {
			return trust, fmt.Errorf("--trust: %w", err)
		}
		if trust.Roots == nil {
			trust.Roots = x509.NewCertPool()
		}
		if !trust.Roots.AppendCertsFromPEM(pem) {
			return trust, fmt.Errorf("--trust %s: there is no certificate in it; it wants PEM (`mailmatrix cert convert`)", text)
		}
	}
	return trust, nil
}

// account finds who logs in. Of a laboratory it may be nobody.
func (f *remoteFlags) account(t terminal, o *remote.Options) error {
	name := os.Getenv("MAILMATRIX_USER")
	switch {
	case f.accountFile != "":
		var err error
		if f.accounts, err = readAccounts(f.accountFile, t.Err); err != nil {
			return err
		}
		o.Account = f.accounts.main()
		if f.lab {
			stand, _, err := f.accounts.stand()
			o.Other = stand.Other
			return err
		}
		return nil
	case name != "":
		// Nobody is asked twice.
		password := sync.OnceValues(func() (string, error) { return readPassword(t, "", "password of "+name) })
		o.Account = ledger.Account{Name: name, Secrets: func() (string, login.Issued, error) {
			secret, err := password()
			return secret, login.Issued{}, err
		}}
		return nil
	case f.lab && !f.login:
		return nil
	default:
		return errors.New("who logs in? Set MAILMATRIX_USER and MAILMATRIX_PASSWORD, or name an --account-file")
	}
}
