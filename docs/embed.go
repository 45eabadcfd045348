// Package docs holds the documents that the program itself can hand out.
package docs

import _ "embed"

// ResultSchema is the JSON Schema (2020-12) of a report in JSON.
//
//go:embed result.schema.json
var ResultSchema []byte
