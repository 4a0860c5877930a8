//! Which custom headers a task may have.
//!
//! Headers that do not look like ours are somebody else's and left alone. One that does and is none of ours
//! is a slip of the pen, which must not silently leave an attribute out.

use crate::rules::HOPS_ATTRIBUTE;
use eventing::extension::{TRACEPARENT, TRACESTATE};

/// What the names of extensions begin with.
pub(super) const EXTENSION: &str = "ce-ext-";

const CE: [&str; 6] = [
    "ce-type",
    "ce-source",
    "ce-subject",
    "ce-dataschema",
    "ce-data",
    "ce-datacontenttype",
];
const ERROR_MAP: &str = "error-map";

/// Checks a header's name.
///
/// # Errors
/// What is wrong with it, and what to write instead.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    if let Some(extension) = name.strip_prefix(EXTENSION) {
        return check_extension(extension);
    }
    if CE.contains(&name) || name == ERROR_MAP {
        return Ok(());
    }
    let meant = name.to_ascii_lowercase().replace(['_', '.', ' '], "-");
    if meant.starts_with("ce-") || meant.replace('-', "") == "errormap" {
        return Err(format!(
            "is not a header of ours; did you mean {}? legal are {}, {EXTENSION}NAME and {ERROR_MAP}",
            nearest(&meant),
            CE.join(", ")
        ));
    }
    Ok(())
}

fn nearest(meant: &str) -> String {
    if let Some(extension) = meant.strip_prefix(EXTENSION) {
        return format!("{EXTENSION}{extension}");
    }
    CE.into_iter()
        .chain([ERROR_MAP])
        .max_by(|a, b| strsim::jaro_winkler(meant, a).total_cmp(&strsim::jaro_winkler(meant, b)))
        .unwrap_or_default()
        .to_owned()
}

/// Extensions that would make another event of it, or that others set on its way.
fn check_extension(name: &str) -> Result<(), String> {
    match name {
        "type" | "source" | "subject" | "dataschema" | "data" | "datacontenttype" => {
            Err(format!("is no extension; write `ce-{name}`"))
        }
        "id" => Err(String::from(
            "is no extension: the id is the job's key, so that a repeat is known as one",
        )),
        "specversion" | "time" => Err(String::from(
            "is no extension, but an attribute that a task does not set",
        )),
        HOPS_ATTRIBUTE | TRACEPARENT | TRACESTATE => Err(String::from(
            "is set by the bridge alone: it travels with the process",
        )),
        knative if knative.starts_with("knative") => Err(String::from(
            "is set by Knative alone, which would take it for its own",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ours_and_is_not_is_refused_naming_what_was_meant() {
        for (name, word) in [
            ("ce-ext-id", "job's key"),
            ("ce-ext-source", "`ce-source`"),
            ("ce-ext-type", "`ce-type`"),
            ("ce-ext-subject", "`ce-subject`"),
            ("ce-ext-data", "`ce-data`"),
            ("ce-ext-dataschema", "`ce-dataschema`"),
            ("ce-ext-datacontenttype", "`ce-datacontenttype`"),
            ("ce-ext-specversion", "does not set"),
            ("ce-ext-time", "does not set"),
            ("ce-ext-bridgehops", "bridge alone"),
            ("ce-ext-traceparent", "bridge alone"),
            ("ce-ext-tracestate", "bridge alone"),
            ("ce-ext-knativebrokerttl", "Knative alone"),
            ("ce-ext-knativeerrordest", "Knative alone"),
            ("ce-id", "did you mean ce-"),
            ("ce-typ", "did you mean ce-type?"),
            ("ce-subjct", "did you mean ce-subject?"),
            ("ce-dataschem", "did you mean ce-dataschema?"),
            ("CE-Type", "did you mean ce-type?"),
            ("ce_subject", "did you mean ce-subject?"),
            ("Ce-Ext-seat", "did you mean ce-ext-seat?"),
            ("Error-Map", "did you mean error-map?"),
            ("errorMap", "did you mean error-map?"),
        ] {
            let refused = check_name(name).expect_err(name);
            assert!(refused.contains(word), "{name}: {refused}");
        }
    }

    #[test]
    fn ours_and_what_is_somebody_elses_may_be_there() {
        for name in [
            "ce-type",
            "ce-data",
            "ce-ext-correlationkey",
            "ce-ext-bpmnprocessid",
            "error-map",
            "Type",
            "Host",
            "Mode",
            "WaitType",
            "retries",
            "cell",
            "error",
        ] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
    }
}
