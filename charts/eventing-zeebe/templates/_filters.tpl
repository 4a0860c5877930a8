{{/* Which events of one type a Trigger's filters let through, as far as it is certain without seeing them: `each`, `some`,
`none`, or `unknown`. Attributes other than the type may be anything, so what asks for one lets `some` through. */}}

{{/* (dict "filters" [...] "type" "A"): all of them have to let an event through. */}}
{{- define "bridge.letThrough" -}}
{{- $verdicts := list -}}
{{- range .filters -}}
{{- $verdicts = append $verdicts (include "bridge.letThroughOne" (dict "filter" . "type" $.type)) -}}
{{- end -}}
{{- include "bridge.both" $verdicts -}}
{{- end -}}

{{/* (list "each" "some"): what passes all of these. Two that let `some` through may have none in common. */}}
{{- define "bridge.both" -}}
{{- $some := 0 -}}
{{- range . -}}{{- if eq . "some" -}}{{- $some = add1 $some -}}{{- end -}}{{- end -}}
{{- if has "none" . -}}none
{{- else if or (empty .) (has "unknown" .) (gt (int $some) 1) -}}unknown
{{- else if has "some" . -}}some
{{- else -}}each
{{- end -}}
{{- end -}}

{{/* (dict "filter" {exact: {...}} "type" "A"): a filter has one dialect. */}}
{{- define "bridge.letThroughOne" -}}
{{- $plain := list "exact" "prefix" "suffix" -}}
{{- $verdict := "unknown" -}}
{{- range $dialect, $body := ternary .filter dict (kindIs "map" .filter) -}}
{{- if and (has $dialect $plain) (kindIs "map" $body) $body -}}
{{- $verdict = include "bridge.attributesPass" (dict "dialect" $dialect "wanted" $body "type" $.type) -}}
{{- else if and (eq $dialect "all") (kindIs "slice" $body) -}}
{{- $verdict = include "bridge.letThrough" (dict "filters" $body "type" $.type) -}}
{{- else if and (eq $dialect "any") (kindIs "slice" $body) -}}
{{- $verdicts := list -}}
{{- range $body -}}
{{- $verdicts = append $verdicts (include "bridge.letThroughOne" (dict "filter" . "type" $.type)) -}}
{{- end -}}
{{- range list "none" "unknown" "some" "each" -}}
{{- if has . $verdicts -}}{{- $verdict = . -}}{{- end -}}
{{- end -}}
{{- else if and (eq $dialect "not") (kindIs "map" $body) -}}
{{- $within := include "bridge.letThroughOne" (dict "filter" $body "type" $.type) -}}
{{- /* `some` is some at least: of a single dialect not all, of several perhaps all. */ -}}
{{- $simple := has (keys $body | first) $plain -}}
{{- $verdict = get (dict "each" "none" "none" "each" "some" (ternary "some" "unknown" $simple)) $within | default "unknown" -}}
{{- end -}}
{{- end -}}
{{- $verdict -}}
{{- end -}}

{{/* (dict "dialect" "exact" "wanted" {type: A, source: /shop} "type" "A") */}}
{{- define "bridge.attributesPass" -}}
{{- $others := omit .wanted "type" -}}
{{- $passes := true -}}
{{- if hasKey .wanted "type" -}}
{{- $wanted := toString .wanted.type -}}
{{- $passes = get (dict "exact" (eq .type $wanted) "prefix" (hasPrefix $wanted .type) "suffix" (hasSuffix $wanted .type)) .dialect -}}
{{- end -}}
{{- if not $passes -}}none{{- else if $others -}}some{{- else -}}each{{- end -}}
{{- end -}}

{{/* The types that filters name exactly, at any depth, each as {"type": ...} on a line. */}}
{{- define "bridge.namedTypes" -}}
{{- range . -}}
{{- range $dialect, $body := ternary . dict (kindIs "map" .) -}}
{{- if and (eq $dialect "exact") (kindIs "map" $body) -}}
{{- if hasKey $body "type" -}}{{- dict "type" (toString $body.type) | toJson }}
{{ end -}}
{{- else if and (has $dialect (list "all" "any")) (kindIs "slice" $body) -}}
{{- include "bridge.namedTypes" $body -}}
{{- else if and (eq $dialect "not") (kindIs "map" $body) -}}
{{- include "bridge.namedTypes" (list $body) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* (dict "triggers" [...] "types" {"A": 0}): refuses filters by which an event would go to the bridge by two Triggers, of
which `types` are those that take each event of a type already, by their place. Of the types that somebody names: an event
of any other may still come twice, by two prefixes. */}}
{{- define "bridge.validateFilters" -}}
{{- $each := deepCopy .types -}}
{{- $some := dict -}}
{{- $named := keys .types -}}
{{- range .triggers -}}
{{- if kindIs "map" . -}}
{{- range include "bridge.namedTypes" (get . "filters" | default list) | trim | splitList "\n" | compact -}}
{{- $named = append $named (fromJson .).type -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $named = uniq $named | sortAlpha -}}
{{- $seen := list -}}
{{- range $index, $trigger := .triggers -}}
{{- $filters := list -}}
{{- if kindIs "map" $trigger -}}{{- $filters = get $trigger "filters" | default list -}}{{- end -}}
{{- range $before, $others := $seen -}}
{{- if and $filters (deepEqual $filters $others) -}}
{{- fail (printf "triggers[%d]: its filters are those of triggers[%d]; each event that they let through would be delivered twice: leave one of them out" (int $index) (int $before)) -}}
{{- end -}}
{{- end -}}
{{- $seen = append $seen $filters -}}
{{- end -}}
{{- range $index, $trigger := .triggers -}}
{{- if and (kindIs "map" $trigger) (hasKey (ternary $trigger dict (kindIs "map" $trigger)) "filters") -}}
{{- range $type := $named -}}
{{- $verdict := include "bridge.letThrough" (dict "filters" $trigger.filters "type" $type) -}}
{{- if or (eq $verdict "each") (eq $verdict "some") -}}
{{- if hasKey $each $type -}}
{{- include "bridge.refuseTwice" (dict "type" $type "one" (get $each $type) "other" $index "verdict" $verdict) -}}
{{- else if and (eq $verdict "each") (hasKey $some $type) -}}
{{- include "bridge.refuseTwice" (dict "type" $type "one" $index "other" (get $some $type) "verdict" "some") -}}
{{- end -}}
{{- $_ := set (ternary $each $some (eq $verdict "each")) $type $index -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* (dict "type" "A" "one" 0 "other" 1 "verdict" "some"): `one` takes each event of the type, `other` as the verdict says. */}}
{{- define "bridge.refuseTwice" -}}
{{- if eq .verdict "each" -}}
{{- fail (printf "triggers[%d]: its filters let each event of type %q through, which triggers[%d] takes too; an event would be delivered twice: leave the type to one of them" (int .other) .type (int .one)) -}}
{{- end -}}
{{- fail (printf "triggers[%d]: its filters let events of type %q through, and triggers[%d] takes each of that type; those would be delivered twice: leave the type to one of them" (int .other) .type (int .one)) -}}
{{- end -}}
