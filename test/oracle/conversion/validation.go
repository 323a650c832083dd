package main

import (
	"encoding/json"
	"fmt"

	"istio.io/istio/pilot/pkg/config/kube/crd"
)

// refusals are what Istio's validation webhook would say (pkg/webhooks/validation/server): decoding by the schema of the
// kind, then its ValidateConfig. Kinds that are neither Istio's nor the Gateway API's are not looked at.
func refusals(objects []json.RawMessage) []string {
	var found []string
	for _, object := range objects {
		if _, _, err := crd.ParseInputs(string(object)); err != nil {
			found = append(found, fmt.Sprintf("%v: %s", err, object))
		}
	}
	return found
}
