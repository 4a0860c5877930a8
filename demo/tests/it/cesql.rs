use demo::broker::filter::cesql::{Error, Expression, Value};

fn attribute(name: &str) -> Option<Value> {
    let value = match name {
        "id" => "A234-1234-1234",
        "type" => "Tickets.Requested",
        "source" => "https://shop.example/zürich",
        "subject" => "r-17",
        "hop" => "5",
        "ttl" => "10",
        "vip" => "TRUE",
        "empty" => "",
        _ => return None,
    };
    Some(Value::String(value.to_owned()))
}

fn evaluate(text: &str) -> Result<Value, Error> {
    Expression::parse(text)?.evaluate(&attribute)
}

fn yes(table: &[&str]) {
    for text in table {
        assert_eq!(evaluate(text), Ok(Value::Boolean(true)), "{text}");
    }
}

fn no(table: &[&str]) {
    for text in table {
        assert_eq!(evaluate(text), Ok(Value::Boolean(false)), "{text}");
    }
}

fn integers(table: &[(&str, i32)]) {
    for (text, value) in table {
        assert_eq!(evaluate(text), Ok(Value::Integer(*value)), "{text}");
    }
}

fn strings(table: &[(&str, &str)]) {
    for (text, value) in table {
        assert_eq!(
            evaluate(text),
            Ok(Value::String((*value).to_owned())),
            "{text}"
        );
    }
}

#[test]
fn literals_and_attributes_have_their_types() {
    strings(&[
        ("'it''s'", "it''s"),
        (r"'it\'s'", "it's"),
        (r#""say \"no\"""#, "say \"no\""),
        (r"'a\_b'", r"a\_b"),
        ("type", "Tickets.Requested"),
        ("TYPE", "Tickets.Requested"),
        ("hop", "5"),
    ]);
    integers(&[("0", 0), ("-2147483648", i32::MIN), ("+7", 7), ("--7", 7)]);
    yes(&["TRUE", "tRuE", "not false"]);
}

#[test]
fn comparison_casts_the_left_side_to_the_type_of_the_right() {
    yes(&[
        "hop = 5",
        "'TRUE' = true",
        "vip = true",
        "type != 'tickets.requested'",
        "1 <> 2",
        "hop < ttl",
        "ttl >= 10 and hop <= 5",
        "'5' < 10",
    ]);
    // The text of a boolean is in lower case.
    no(&["true = 'TRUE'", "hop > ttl", "'5' > 10"]);
}

#[test]
fn arithmetic_is_of_32_bits_and_truncates() {
    integers(&[
        ("4 * 2 + 4 / 2", 10),
        ("4 * (2 + 4) / 2", 12),
        ("-5 / 3", -1),
        ("-5 % 3", -2),
        ("5 + true", 6),
        ("hop + 1", 6),
        ("-hop", -5),
        ("2147483647 + 1", i32::MIN),
        ("10 - 4 - 3", 3),
    ]);
}

#[test]
fn logic_is_of_one_precedence_and_groups_to_the_right() {
    yes(&[
        "true or false and false",
        "true xor false",
        "true xor true xor true",
    ]);
    no(&["false and true or true", "false and 1 = 1 / 0"]);
    yes(&["true or 1 = 1 / 0"]);
}

#[test]
fn not_binds_tighter_than_a_comparison() {
    // (NOT vip) = false
    yes(&["not vip = false", "not exists nothing", "not (hop = 6)"]);
    no(&["not vip like 't%'"]);
}

#[test]
fn like_matches_the_whole_text_with_wildcards_and_escapes() {
    yes(&[
        "type like 'Tickets.%'",
        "type like '%'",
        "type like '%.Request__'",
        "subject like 'r_17'",
        "empty like ''",
        "empty like '%%'",
        "'a%b' like 'a%'",
        r"'100%' like '100\%'",
        r"'a_b' like 'a\_b'",
        r"'a\b' like 'a\b'",
        "'azzzbzzzc' like 'a%b%c'",
        "'ü' like '_'",
        "234 like '2_4'",
        "true like 'tr%'",
        "type not like 'Payments.%'",
    ]);
    no(&[
        "type like 'Tickets'",
        "type like 'tickets.%'",
        r"'1000' like '100\%'",
        r"'axb' like 'a\_b'",
        "'' like '_'",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab' like '%a%a%a%a%a%a%a%a%a%a%a%c'",
    ]);
}

#[test]
fn in_casts_the_elements_to_the_type_of_the_left_side() {
    yes(&[
        "type in ('Payments.Authorized', 'Tickets.Requested')",
        "hop in (4, 5)",
        "5 in ('4', '5')",
        "true in (vip)",
        "type in (type)",
        "type not in ('a', 'b')",
    ]);
    no(&["hop in (50)", "'TRUE' in (true)", "subject not in ('r-17')"]);
}

#[test]
fn exists_asks_without_reading() {
    yes(&[
        "exists subject",
        "EXISTS TYPE",
        "exists empty",
        "not exists dataschema",
    ]);
    no(&["exists dataschema"]);
}

#[test]
fn functions_count_characters() {
    integers(&[
        ("length('zürich')", 6),
        ("length('')", 0),
        ("length(true)", 4),
        ("abs(-3)", 3),
        ("int('12')", 12),
        ("int(true)", 1),
    ]);
    strings(&[
        ("concat()", ""),
        ("concat('a', 1, true)", "a1true"),
        ("concat_ws('-', 'a', 'b')", "a-b"),
        ("concat_ws('-')", ""),
        ("lower('ABC')", "abc"),
        ("UPPER('ü')", "Ü"),
        ("trim('  a b ')", "a b"),
        ("left('zürich', 2)", "zü"),
        ("left('ab', 5)", "ab"),
        ("right('zürich', 3)", "ich"),
        ("right('ab', 5)", "ab"),
        ("substring('zürich', 3)", "rich"),
        ("substring('zürich', -3)", "ich"),
        ("substring('zürich', 2, 2)", "ür"),
        ("substring('zürich', 2, 99)", "ürich"),
        ("substring('zürich', 0)", ""),
        ("string(7)", "7"),
    ]);
    yes(&["is_int('7')", "is_bool('FALSE')", "bool(7)", "is_int(true)"]);
    no(&["is_int('7.5')", "is_bool('no')", "bool(0)"]);
}

#[test]
fn an_error_says_which_of_the_specifications_kinds_it_is() {
    let kind = |text: &str| match evaluate(text) {
        Ok(value) => panic!("{text} is {value:?}"),
        Err(Error::Parse { .. }) => "parse",
        Err(Error::Math(_)) => "math",
        Err(Error::Cast { .. }) => "cast",
        Err(Error::MissingAttribute(_)) => "missing attribute",
        Err(Error::MissingFunction { .. }) => "missing function",
        Err(Error::FunctionEvaluation(_)) => "function evaluation",
    };
    for (text, wanted) in [
        ("1 / 0", "math"),
        ("1 % 0", "math"),
        ("abs(-2147483648)", "math"),
        ("int('x')", "cast"),
        ("type < 5", "cast"),
        ("type and true", "cast"),
        ("not type", "cast"),
        ("dataschema = 'x'", "missing attribute"),
        ("dataschema like 'x'", "missing attribute"),
        ("dataschema / 0", "missing attribute"),
        ("true and (dataschema = '')", "missing attribute"),
        ("concat_ws()", "missing function"),
        ("left('a')", "missing function"),
        ("nope(1)", "missing function"),
        ("left('abc', -2)", "function evaluation"),
        ("substring('abc', 10)", "function evaluation"),
        ("substring('abc', -10, 1)", "function evaluation"),
        ("substring('abc', 1, -1)", "function evaluation"),
    ] {
        assert_eq!(kind(text), wanted, "{text}");
    }
}

#[test]
fn what_is_no_expression_is_refused_with_its_position() {
    for (text, position) in [
        ("", 1),
        ("abc(", 5),
        ("(1", 3),
        ("1)", 2),
        ("a b", 3),
        ("a like 5", 8),
        ("a like b", 8),
        ("a in ()", 7),
        ("a in 5", 6),
        ("a not 5", 7),
        ("'open", 1),
        (r"'open\", 1),
        ("a = ", 5),
        ("exists", 7),
        ("exists 5", 8),
        ("a_b = 1", 1),
        ("f1(2)", 1),
        ("a & b", 3),
        ("ü = 1", 1),
        ("2147483648", 1),
        ("-2147483649", 1),
        ("4-1", 2),
        ("and", 1),
        ("a == b", 4),
    ] {
        match Expression::parse(text) {
            Err(Error::Parse { at, .. }) => assert_eq!(at, position, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn depth_and_length_are_bounded_so_that_nothing_overflows() {
    for text in [
        "(".repeat(5_000),
        format!("{}1{}", "(".repeat(100), ")".repeat(100)),
        "not ".repeat(5_000) + "true",
        "- ".repeat(5_000) + "1",
        "abs(".repeat(5_000),
        "1 + ".repeat(5_000) + "1",
        "true and ".repeat(5_000) + "true",
    ] {
        assert!(matches!(Expression::parse(&text), Err(Error::Parse { .. })));
    }
    let long = "1 + ".repeat(499) + "1";
    assert_eq!(evaluate(&long), Ok(Value::Integer(500)));
}
