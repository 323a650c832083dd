package main

import (
	"encoding/json"
	"fmt"

	"istio.io/istio/pilot/pkg/config/kube/crd"
)

// refusals returns the errors of Istio's validation webhook (pkg/webhooks/validation/server): decoding by the schema of
// the kind, then its ValidateConfig. Kinds other than Istio's and the Gateway API's are skipped.
func refusals(objects []json.RawMessage) []string {
	var found []string
	for _, object := range objects {
		if _, _, err := crd.ParseInputs(string(object)); err != nil {
			found = append(found, fmt.Sprintf("%v: %s", err, object))
		}
	}
	return found
}
