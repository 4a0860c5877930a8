//! What must not be done twice does not stand beside what may be asked for again.

use super::*;

#[test]
fn what_must_not_be_repeated_is_refused_beside_others_unless_repeats_are_accepted() {
    let start = "start: {process: p}";
    let file = |first: &str, select: &str, action: &str| {
        format!(
            "rules:\n- name: a\n  select: {first}\n  {start}\n- name: b\n  select: {select}\n  {action}\n"
        )
    };
    // the other's selection, and whether both can take one event
    let table = [
        ("{type: A}", "{type: B}", false),
        ("{type: A}", "{type: A}", true),
        ("{type: A}", "{}", true),
        ("{type: A}", "{prefix: {type: A}}", true),
        ("{type: A}", "{prefix: {type: B}}", false),
        ("{type: A}", "{suffix: {type: B}}", false),
        ("{type: A}", "{prefix: {source: /x}}", true),
        (
            "{type: A, prefix: {source: /x/}}",
            "{type: A, prefix: {source: /y}}",
            false,
        ),
        (
            "{type: A, prefix: {source: /x/}}",
            "{type: A, exact: {source: /x/1}}",
            true,
        ),
        (
            "{type: A, suffix: {source: x}}",
            "{type: A, suffix: {source: y}}",
            false,
        ),
        (
            "{type: A, suffix: {source: x}}",
            "{type: A, prefix: {source: y}}",
            true,
        ),
        ("{prefix: {type: A.}}", "{prefix: {type: A}}", true),
        ("{prefix: {type: A.}}", "{prefix: {type: B.}}", false),
        (
            "{type: A, when: data.x}",
            "{type: A, when: '!data.x'}",
            true,
        ),
    ];
    for (first, second, overlap) in table {
        let text = file(first, second, "publish: {message: m}");
        match load(&text) {
            Ok(_) => assert!(!overlap, "{text}"),
            Err(error) => {
                assert!(overlap, "{text}\n{error}");
                assert!(
                    error.starts_with(
                        "rules.yaml:2: rule `a` starts a process by its id or broadcasts a signal"
                    ),
                    "{error}"
                );
                assert!(error.contains("by rule `b` on line 5"), "{error}");
            }
        }
        load(&format!("match: first\n{text}")).expect("only one acts");
        load(&text.replacen(start, &format!("{start}\n  repeats: accepted"), 1)).expect("accepted");
    }
    assert!(load(&file("{}", "{}", "signal: {signal: s}")).is_err());
}

#[test]
fn a_batch_must_not_repeat_what_must_not_be_repeated() {
    let planned = |action: &str| {
        does(action)
            .plan(&json(DATA), &Travel::default())
            .expect("plans")
            .plans
            .remove(0)
    };
    let (message, start) = (
        planned("publish: {message: m}"),
        planned("start: {process: p}"),
    );
    assert_eq!(check_together(&[]), Ok(()));
    assert_eq!(check_together(std::slice::from_ref(&start)), Ok(()));
    assert_eq!(check_together(&[message.clone(), message.clone()]), Ok(()));
    let error = check_together(&[message.clone(), start])
        .expect_err("beside another")
        .to_string();
    assert!(
        error.starts_with("rule `r`: `repeats`: the request leads to 2 commands"),
        "{error}"
    );
    let accepted = planned("start: {process: p}\nrepeats: accepted");
    assert_eq!(check_together(&[message, accepted]), Ok(()));
}
