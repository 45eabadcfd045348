// Package reports turns a [login.Report] into bytes: one file per format,
// found by name in a registry. It measures nothing and judges nothing; what a
// report does not hold is left out, never made up.
package reports
