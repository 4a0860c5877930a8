//! Expressions over the variables of a job.

use super::*;

const VARIABLES: &str = r#"{"order":{"id":"o-7","total":10.50,"lines":[{"sku":"a"},{"sku":"b\n"}]},
    "seats":2,"big":12345678901234567890.25,"odd-name":{"x":1},"nothing":null,"twice":1,"twice":2}"#;

fn json(text: &str) -> Result<String, String> {
    let template = Template::parse(text).map_err(|error| error.to_string())?;
    template
        .json(VARIABLES)
        .map(Cow::into_owned)
        .map_err(|error| error.to_string())
}

#[test]
fn expressions_yield_json() {
    let table: &[(&str, &str)] = &[
        ("literal", r#""literal""#),
        ("", r#""""#),
        ("a = b", r#""a = b""#),
        // paths: raw slices
        ("=order.total", "10.50"),
        ("= order.lines[1].sku ", r#""b\n""#),
        ("=order[\"id\"]", r#""o-7""#),
        ("=big", "12345678901234567890.25"),
        ("=variables[\"odd-name\"].x", "1"),
        ("=nothing", "null"),
        ("=twice", "2"),
        ("=order.lines", r#"[{"sku":"a"},{"sku":"b\n"}]"#),
        // the interpreter
        ("=seats + 1", "3"),
        ("=order.total > 10", "true"),
        ("=order.total > 10.5", "false"),
        ("=seats == 2.0", "true"),
        ("='id: ' + order.id", r#""id: o-7""#),
        ("=has(order.discount) ? order.discount : null", "null"),
        ("=has(order.total) ? order.total : 0", "10.5"),
        ("=has(variables.discount)", "false"),
        ("=order.?discount.orValue(0)", "0"),
        ("=order.lines.map(line, line.sku)", r#"["a","b\n"]"#),
        ("=order.lines.exists(line, line.sku == 'a')", "true"),
        ("=size(order.lines)", "2"),
        (
            "={'z': 1, 'a': [seats, null, 1.0]}",
            r#"{"a":[2,null,1.0],"z":1}"#,
        ),
        ("=order.id.startsWith('o-')", "true"),
        ("=string(seats)", r#""2""#),
        ("=true", "true"),
        ("='=x'", r#""=x""#),
        ("=2u", "2"),
        ("=b'abc'", r#""YWJj""#),
        ("=type(seats) == int", "true"),
        ("=seats in [1, 2]", "true"),
        // fields alone, and beside the whole
        ("=order.id + string(size(order))", r#""o-73""#),
        ("=order.id == order['id']", "true"),
        ("=[order.id].map(order, order + '!')", r#"["o-7!"]"#),
        ("=[{'id': 1}].map(order, order.id)", "[1]"),
    ];
    for (text, expected) in table {
        assert_eq!(json(text).as_deref(), Ok(*expected), "{text}");
    }
}

#[test]
fn what_cannot_be_evaluated_says_why() {
    let table: &[(&str, &str)] = &[
        ("=", "`` is empty: expected an expression"),
        (
            "=order.discount",
            "`order.discount` is missing; if it may be, write `has(order.discount) ? order.discount : null`",
        ),
        ("=discount", "`discount` is missing"),
        (
            "=order.lines[2]",
            "`order.lines[2]` is missing; if it may be, write `has(order.lines[2]) ? order.lines[2] : null`",
        ),
        (
            "=order.discount + 1",
            "`order.discount + 1` needs `discount`, which is missing; `has(...)` tells whether a field is there",
        ),
        (
            "=order['the discount'] + 1",
            "`order['the discount'] + 1` needs `the discount`, which is missing; `has(...)` tells whether a field is there",
        ),
        // What is looked for is data.
        (
            "=order[order.id] + 1",
            "`order[order.id] + 1` needs a key that is missing; `key in object` tells whether it is there",
        ),
        (
            "=discount + 1",
            "`discount + 1` needs `discount`, which is missing",
        ),
        (
            "=lower(order.id)",
            "`lower(order.id)` calls `lower`, which does not exist: there are size, contains, startsWith, endsWith, string, int, uint, double, bool, bytes, dyn, type, hasValue, or, orValue, value, of, none, ofNonZeroValue and the macros has, all, exists, exists_one, map, filter",
        ),
        (
            "=1.0 / 0.0",
            "`1.0 / 0.0` yields inf, which is no JSON number",
        ),
        (
            "=Order{id: 1}",
            "`Order{id: 1}` makes a `Order`, but there are no such types: write a map, `{\"name\": value}`",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(json(text), Err((*expected).to_owned()), "{text}");
    }
    for text in [
        "=1 +",
        "=(",
        "=a b",
        "=\"",
        "=a..b",
        "=1 / 0",
        "='a' + 1",
        "=order.lines.map(1, 2)",
    ] {
        assert!(json(text).is_err(), "{text}");
    }
}

#[test]
fn text_is_what_a_string_says_and_a_number_is_as_it_was_written() {
    let text = |text: &str| {
        let template = Template::parse(text).map_err(|error| error.to_string())?;
        let found = template.text(VARIABLES).map(Cow::into_owned);
        found.map_err(|error| error.to_string())
    };
    assert_eq!(text("literal").as_deref(), Ok("literal"));
    assert_eq!(text("=order.lines[1].sku").as_deref(), Ok("b\n"));
    assert_eq!(text("=order.total").as_deref(), Ok("10.50"));
    assert_eq!(text("=seats > 1").as_deref(), Ok("true"));
    assert_eq!(text("=order.id + '!'").as_deref(), Ok("o-7!"));
    assert_eq!(
        text("=nothing"),
        Err("`nothing` is null: expected text".to_owned())
    );
    assert_eq!(
        text("=order"),
        Err("`order` is an object: expected text".to_owned())
    );
    assert_eq!(
        text("=[1]"),
        Err("`[1]` is an array: expected text".to_owned())
    );
}

#[test]
fn a_source_longer_than_the_limit_is_refused() {
    let source = format!("={}", "1+".repeat(SOURCE_LIMIT));
    let error = Template::parse(&source).expect_err("too long").to_string();
    assert!(error.ends_with("is longer than 2000 bytes"), "{error}");
}

#[test]
fn the_longest_chains_and_deepest_brackets_that_fit_do_not_end_the_program() {
    let most = SOURCE_LIMIT - 10;
    for source in [
        format!("={}1", "1+".repeat(most / 2)),
        format!("={}1", "-".repeat(most)),
        format!("={}true", "!".repeat(most)),
        format!("={}1{}", "(".repeat(most / 2), ")".repeat(most / 2)),
        format!("={}1{}", "[".repeat(most / 2), "]".repeat(most / 2)),
        format!("=a{}", ".a".repeat(most / 2)),
        format!("=a{}()", ".a".repeat(most / 2)),
        format!("={}true", "true?1:".repeat(most / 7)),
        format!("={}true", "true||".repeat(most / 6)),
    ] {
        if let Ok(template) = Template::parse(&source) {
            let _ = template.json(VARIABLES);
        }
    }
}

#[test]
fn loops_over_too_much_data_are_refused_before_they_run() {
    let many = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(2_000));
    let evaluate = |text: &str| {
        let template = Template::parse(text).expect("an expression");
        template
            .json(&many)
            .map(|json| json.len())
            .map_err(|error| error.to_string())
    };
    assert_eq!(evaluate("=a.map(x, x + 1).size()"), Ok(4));
    let nested = evaluate("=a.map(x, a.map(y, x)).size()").expect_err("nested");
    assert!(nested.contains("could take 4016016 steps"), "{nested}");
    let within = evaluate("=a.all(x, x in a)").expect_err("a loop in disguise");
    assert!(within.contains("steps"), "{within}");
    let longer = evaluate("=(a + a + a).map(x, a.map(y, x)).size()").expect_err("longer");
    assert!(longer.contains("steps"), "{longer}");

    let long = format!(
        r#"{{"a":[{}1],"s":"{}"}}"#,
        "1,".repeat(200),
        "s".repeat(400_000)
    );
    let template = Template::parse("=a.map(x, s + s)").expect("an expression");
    let error = template.json(&long).expect_err("too much").to_string();
    assert!(error.contains("could put together"), "{error}");
}

#[test]
fn variables_that_are_not_json_are_an_error() {
    let template = Template::parse("=a").expect("a path");
    for variables in ["", "[]", "{", r#"{"a":}"#, "null"] {
        assert!(template.json(variables).is_err(), "{variables}");
    }
}

#[test]
fn an_error_says_what_is_wrong_and_nothing_of_the_data() {
    for (expression, reason) in [
        ("=int(order.id)", "`int` fails for what it is given"),
        ("=order.lines[seats * 1000]", "not that long"),
        ("=seats / (seats - seats)", "divides by zero"),
        (
            "=(seats + 9223372036854775800) * seats",
            "a number that is too large",
        ),
        ("={order.id: 1, order.id + '': 2}", "a key twice"),
        ("=order.id < seats", "no matching overload"),
        ("={order: 1}", "with the values that it is given"),
    ] {
        let said = json(expression).expect_err(expression);
        let said = said.replace(expression.trim_start_matches('='), "");
        assert!(said.contains(reason), "{expression}: {said}");
        for value in ["o-7", "2000", "9223372036854775802", "10.5"] {
            assert!(!said.contains(value), "{expression}: {said}");
        }
    }
}
