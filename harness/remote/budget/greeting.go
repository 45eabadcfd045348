package budget

// Greeted counts a wait that says nothing of how the server takes us: the one
// for a greeting, before which it looks up who comes.
func (b *Budget) Greeted() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.effort.Trips++
}
