package main

// observeFiles are what observe writes. Both are opened before the work
// begins, so that a folder without permission costs nothing.
type observeFiles struct {
	records *pendingFile
	profile *pendingFile // nil where nobody wants it
	// done: there is nothing to forget any more.
	recordsDone, profileDone bool
}

func openObserveFiles(records, profile string) (*observeFiles, error) {
	f := &observeFiles{}
	var err error
	if f.records, err = createFile(records, publicFile); err != nil {
		return nil, err
	}
	if profile != "" {
		if f.profile, err = createFile(profile, publicFile); err != nil {
			f.records.discard()
			return nil, err
		}
	}
	return f, nil
}

func (f *observeFiles) commitRecords() error {
	f.recordsDone = true
	return f.records.commit(nil)
}

func (f *observeFiles) commitProfile(data []byte) error {
	if f.profile == nil {
		return nil
	}
	f.profileDone = true
	_, err := f.profile.Write(data)
	return f.profile.commit(err)
}

// discard forgets what was opened for nothing.
func (f *observeFiles) discard() {
	if !f.recordsDone {
		f.records.discard()
	}
	if f.profile != nil && !f.profileDone {
		f.profile.discard()
	}
}
