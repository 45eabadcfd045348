package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// readFlags and writtenFlags name the files of a verb that makes reports. What
// --store and --journal name is read as well, and nothing of it is lost.
var (
	readFlags    = []string{"policy", "expect", "account-file", "profile-file", "trust", "rerun-failed", "baseline"}
	writtenFlags = []string{"output", "write-expect", "journal", "store"}
)

// apart refuses flags by which a file would be lost: two outputs into one, or an
// output over what is read. arguments are files that are read without a flag.
// It comes before anything is opened.
func apart(flags *pflag.FlagSet, arguments ...string) error {
	read := map[string]string{} // the flag, by file
	for _, name := range arguments {
		read[fileID(name)] = ""
	}
	for _, flag := range readFlags {
		for _, name := range flagValues(flags, flag) {
			read[fileID(name)] = flag
		}
	}
	written := map[string]bool{}
	for _, flag := range writtenFlags {
		for _, name := range flagValues(flags, flag) {
			if flag == "output" {
				name = fileOf(name)
			}
			if name == "" {
				continue // it is refused elsewhere
			}
			id := fileID(name)
			reader, isRead := read[id]
			switch {
			case written[id]:
				return fmt.Errorf("two outputs to %s: one would be lost", filepath.Clean(name))
			case isRead && regular(name) && !(reader == "expect" && flag == "write-expect"): // which keeps what holds
				return fmt.Errorf("%s is read, and would be lost: give --%s another file", filepath.Clean(name), flag)
			}
			written[id] = true
		}
	}
	return nil
}

// flagValues are those of a flag that may be there once, several times, or not.
func flagValues(flags *pflag.FlagSet, name string) []string {
	flag := flags.Lookup(name)
	if flag == nil || !flag.Changed {
		return nil
	}
	if list, several := flag.Value.(pflag.SliceValue); several {
		return list.GetSlice()
	}
	return []string{flag.Value.String()}
}

// fileOf is the file in FORMAT=FILE; "" is none.
func fileOf(spec string) string {
	_, name, _ := strings.Cut(spec, "=")
	return name
}

// fileID is the same for two names of one file, be it there or not. Of what is
// no regular file, such as /dev/stdin and /dev/stdout of one terminal, the names
// count.
func fileID(name string) string {
	if _, err := os.Stat(name); err == nil && !regular(name) {
		return filepath.Clean(name)
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return filepath.Clean(name)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(folder, filepath.Base(path))
	}
	return path
}

func regular(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
