// Package results compares, merges and claims what runs came to. It is pure.
package results
