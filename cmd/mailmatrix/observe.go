package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
	"github.com/mailmatrix/mailmatrix/server"
)

// observeConfig is what the flags of observe say.
type observeConfig struct {
	exec     string
	when     []string
	name     string
	variant  string
	version  string
	output   string
	profile  string
	cases    string
	only     []string
	protocol []string
	host     string
	timeout  time.Duration
	parallel int
	clients  []string
}

func newObserve(t terminal) *cobra.Command {
	var o observeConfig
	c := &cobra.Command{
		Use:   "observe --name NAME --output RECORDS.jsonl [--exec COMMAND]",
		Short: "record how a real client logs in under every posture, judge it, and draft its profile",
		Long: `Offer the postures, one after another, to a real client, and record what it does
in the form of the recordings. Then derive a draft of its profile, replay it,
and say how far it foretells postures that were held back.

The clients' cases of the catalogue judge it as well: it is put into their
situations (STARTTLS stripped, a bad certificate, a broken challenge), and what
it does there is held against what no client may do.

With --exec the client is a program, and all runs unattended. The command is
split at blanks, quotes count, and no shell is asked. These stand for their
values, and are in the environment under MAILMATRIX_HOST and so on:

  {host} {port} {url} {user} {recipient} {protocol} {mode} {trust}
  {password-file} {netrc} {ca} {message} {work}    files, and a folder of its own

A message to be sent is on the program's input, too. What is to be configured is
the mode (off, opp: TLS if available, req: STARTTLS or STLS or nothing, imp: TLS
from the first octet) and the trust (default; ca: the authority in {ca}; no: no
checks). Either --when says what to add for each ('--when req=--ssl-reqd'; at
{options}, or at the end), and what it does not name the client has not; or the
command is a script that reads the environment, and ends with exit status 99
where its client has no such setting.

Without --exec a person does it: a page on this machine, and the terminal, say
what to click next.`,
		Example: `  mailmatrix observe --name curl --output curl.jsonl --profile curl-draft.yaml \
    --exec 'curl -sS --netrc-file {netrc} {options} {url}' \
    --when smtp='--mail-from {user} --mail-rcpt {recipient} -T -' \
    --when opp=--ssl --when req=--ssl-reqd --when imp= --when ca='--cacert {ca}' --when no=-k
  mailmatrix observe --name mine --protocol pop3 --output mine.jsonl --exec ./drive-mine.sh
  mailmatrix observe --name thunderbird --client-version 140.0 --output thunderbird.jsonl`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return observe(c.Context(), t, o) },
	}
	f := c.Flags()
	f.StringVar(&o.exec, "exec", "", "the client, as a `COMMAND` with placeholders; without it a person clicks")
	f.StringArrayVar(&o.when, "when", nil, "`WHAT=ARGUMENTS` to add: off, opp, req, imp, default, ca, no, smtp or pop3")
	f.StringVar(&o.name, "name", "", "what the client is called in records")
	f.StringVar(&o.variant, "variant", "", "the settings state it is in")
	f.StringVar(&o.version, "client-version", "", "its release")
	f.StringVar(&o.output, "output", "", "where the records go, a `FILE` of JSON lines")
	f.StringVar(&o.profile, "profile", "", "where the draft of a profile goes, a YAML `FILE`")
	f.StringVar(&o.cases, "cases", "", "other postures, a JSON `FILE`")
	f.StringSliceVar(&o.only, "case", nil, "these postures alone")
	f.StringSliceVar(&o.protocol, "protocol", nil, "smtp or pop3 alone")
	f.StringVar(&o.host, "host", "localhost", "the name of this machine that the client is told")
	f.DurationVar(&o.timeout, "timeout", 20*time.Second, "how long a program may take for one login")
	f.IntVar(&o.parallel, "parallel", 4, "how many programs at a time")
	f.StringSliceVar(&o.clients, "client-cases", nil, "clients' cases to judge by: an ID, a pattern, an area, a level, a source, all or none (default: all with --exec, unless --case is given)")
	return c
}

// recordName is what records, files and flags can all hold.
var recordName = regexp.MustCompile(`^[A-Za-z0-9]+([-_.+][A-Za-z0-9]+)*$`)

// check finds what cannot be meant.
func (o observeConfig) check() error {
	switch {
	case o.name == "":
		return errors.New("--name is missing: what the client is called")
	case !recordName.MatchString(o.name):
		return fmt.Errorf("--name %q: letters and digits are wanted, with hyphens between", o.name)
	case o.variant != "" && !recordName.MatchString(o.variant):
		return fmt.Errorf("--variant %q: letters and digits are wanted, with hyphens between", o.variant)
	case o.output == "":
		return errors.New("--output is missing: the file for the records")
	case o.profile != "" && fileID(o.profile) == fileID(o.output):
		return fmt.Errorf("--output and --profile are both %s: one would be lost", o.output)
	case o.exec == "" && len(o.when) > 0:
		return errors.New("--when is about the command of --exec, which is missing")
	case o.timeout <= 0:
		return fmt.Errorf("--timeout wants a time such as 20s, not %s", o.timeout)
	case o.parallel < 1:
		return fmt.Errorf("--parallel wants 1 or more, not %d", o.parallel)
	}
	if err := certs.CheckHostName(o.host); err != nil {
		return fmt.Errorf("--host: %w", err)
	}
	return nil
}

// postures are those that are wanted, SMTP first, in the order of their names.
func (o observeConfig) postures() (recording.Cases, []recording.Case, error) {
	cases := recording.Postures()
	if o.cases != "" {
		var err error
		if cases, err = readFile(o.cases, recording.ReadCases); err != nil {
			return nil, nil, err
		}
	}
	var names []string
	for name := range cases {
		names = append(names, name)
	}
	slices.SortFunc(names, recording.CompareCases)
	var only []string
	for _, name := range o.only {
		found, err := login.ParseName("posture", name, names)
		if err != nil {
			return nil, nil, err
		}
		only = append(only, found)
	}
	var protocols []login.Protocol
	for _, name := range o.protocol {
		p, err := login.ParseProtocol(name)
		if err != nil {
			return nil, nil, err
		}
		protocols = append(protocols, p)
	}
	var wanted []recording.Case
	for _, name := range names {
		c := cases[name]
		if (len(only) == 0 || slices.Contains(only, name)) && (len(protocols) == 0 || slices.Contains(protocols, c.Protocol)) {
			wanted = append(wanted, c)
		}
	}
	if len(wanted) == 0 {
		return nil, nil, errors.New("no posture matches --case and --protocol")
	}
	slices.SortStableFunc(wanted, func(a, b recording.Case) int {
		return cmp.Compare(slices.Index(login.Protocols(), a.Protocol), slices.Index(login.Protocols(), b.Protocol))
	})
	return cases, wanted, nil
}

// observe runs the series, writes the records, and tries a draft on them.
func observe(ctx context.Context, t terminal, o observeConfig) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	cases, wanted, err := o.postures()
	if err != nil {
		return err
	}
	var line commandLine
	if o.exec != "" {
		if line, err = parseCommandLine(o.exec, o.when); err != nil {
			return err
		}
		if err := line.found(); err != nil {
			return err
		}
	}
	judged, err := o.clientCases()
	if err != nil {
		return err
	}
	files, err := openObserveFiles(o.output, o.profile)
	if err != nil {
		return err
	}
	defer files.discard()
	stage, err := newStage(o.host, o.exec == "")
	if err != nil {
		return err
	}
	props, err := newObserveProps(stage.authority)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, props.remove()) }()

	run := &observation{config: o, props: props, cases: cases, wanted: wanted, files: files, started: time.Now(),
		judged: judged, situations: clientcases.Situations(judged), conducts: map[string]clientcases.Conduct{}}
	run.observer = &harness.Observer{Stage: stage, Client: o.name, Variant: o.variant, Version: o.version,
		Password: props.password, Machine: thisMachine(ctx)}
	if o.exec != "" {
		p := &program{line: line, props: props, host: o.host, timeout: o.timeout}
		err = run.unattended(ctx, t, p)
	} else {
		err = run.attended(ctx, t)
	}
	if err != nil {
		return err
	}
	return run.conclude(ctx, t)
}

// observation is one run of observe.
type observation struct {
	config   observeConfig
	props    *observeProps
	observer *harness.Observer
	cases    recording.Cases
	wanted   []recording.Case
	files    *observeFiles
	started  time.Time

	records []recording.Record
	skipped int

	// judged are the clients' cases, situations those that they look at, and
	// conducts what the client did in them.
	judged     []clientcases.Case
	situations []clientcases.Situation
	conducts   map[string]clientcases.Conduct
}

// keep takes what came of one posture.
func (run *observation) keep(record *recording.Record) error {
	if record == nil {
		run.skipped++
		return nil
	}
	run.records = append(run.records, *record)
	return recording.WriteRecord(run.files.records, *record)
}

// unattended has a program log in under every posture.
func (run *observation) unattended(ctx context.Context, t terminal, p *program) error {
	bar := newProgress(t.Err)
	done := 0
	tell := func() {
		if done++; bar != nil {
			bar.show(done, len(run.wanted)+len(run.situations))
		}
	}
	var writing error
	err := run.observer.Series(ctx, run.wanted, run.config.parallel, p.drive, func(_ recording.Case, record *recording.Record) {
		writing = errors.Join(writing, run.keep(record))
		tell()
	})
	if err == nil && writing == nil && ctx.Err() == nil {
		err = run.observer.SeriesIn(ctx, run.situations, run.config.parallel, p.drive, func(s clientcases.Situation, did *clientcases.Conduct) {
			run.keepConduct(s, did)
			tell()
		})
	}
	bar.clear()
	if err := errors.Join(err, writing); err != nil {
		return err
	}
	connected := func(r recording.Record) bool { return r.Conns > 0 }
	if len(run.records) > 0 && !slices.ContainsFunc(run.records, connected) && ctx.Err() == nil {
		return fmt.Errorf("the program never connected: %s", p.silent)
	}
	if p.silent != "" {
		_, _ = fmt.Fprintf(t.Err, "not every run of the program connected: %s\n", p.silent)
	}
	return nil
}

// conclude writes the records that there are, and says what they show.
func (run *observation) conclude(ctx context.Context, t terminal) error {
	interrupted := ctx.Err() != nil
	switch {
	case len(run.records) == 0 && interrupted:
		return errors.New("interrupted before anything was recorded")
	case len(run.records) == 0:
		return errors.New("nothing was recorded: no posture applies to this client")
	}
	if err := run.files.commitRecords(); err != nil {
		return err
	}
	if err := run.writeTable(t.Out); err != nil {
		return err
	}
	if err := run.writeVerdicts(t.Out); err != nil {
		return err
	}
	if interrupted {
		return fmt.Errorf("interrupted: the %d records so far are in %s", len(run.records), run.config.output)
	}
	return run.draft(ctx, t)
}

// draft derives a profile, tries it and writes it.
func (run *observation) draft(ctx context.Context, t terminal) error {
	lab, err := server.NewReference()
	if err != nil {
		return err
	}
	defer func() { _ = lab.Close() }()
	trial, err := harness.TryDraft(ctx, lab, run.cases, run.records, run.config.parallel)
	if err != nil {
		return fmt.Errorf("the records are in %s, but there is no draft: %w", run.config.output, err)
	}
	if err := run.files.commitProfile(trial.Draft.YAML); err != nil {
		return err
	}
	return run.writeTrial(t.Out, trial)
}

// title is the client with its settings state and release.
func (run *observation) title() string {
	title := run.config.name
	if run.config.variant != "" {
		title += "+" + run.config.variant
	}
	return strings.TrimSpace(title + " " + run.config.version)
}
