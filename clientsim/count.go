package clientsim

import (
	"reflect"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// FactsByConfidence counts the facts of the profile's file, in this settings
// state.
func (p Profile) FactsByConfidence() map[login.Confidence]int {
	counts := map[login.Confidence]int{}
	if p.sheet != nil {
		countFacts(reflect.ValueOf(*p.sheet), counts)
	}
	return counts
}

// countFacts walks a sheet: whatever carries a confidence is a fact.
func countFacts(v reflect.Value, counts map[login.Confidence]int) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			countFacts(v.Elem(), counts)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			countFacts(v.MapIndex(key), counts)
		}
	case reflect.Struct:
		if c := v.FieldByName("Confidence"); c.IsValid() {
			if c.String() != "" { // the probe makes no choice
				counts[login.Confidence(c.String())]++
			}
			return
		}
		for i := range v.NumField() {
			countFacts(v.Field(i), counts)
		}
	}
}
