//! Lengths of time as a person writes them: `1h30m`, `500ms`, `PT1H30M`.

use std::time::Duration;

const FORMS: &str = "expected a length of time such as `30s`, `1h30m`, `2d` or `PT1H30M`";

/// Reads a length of time; the error says what forms there are.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let duration = match text.strip_prefix('P') {
        Some(iso) => iso8601(iso),
        None => units(
            text,
            &[
                ("ms", 1),
                ("s", SECOND),
                ("m", MINUTE),
                ("h", HOUR),
                ("d", DAY),
            ],
        ),
    }
    .ok_or_else(|| format!("`{text}` is no length of time: {FORMS}"))?;
    // The engine counts milliseconds in 64 bits.
    if i64::try_from(duration).is_err() {
        return Err(format!("`{text}` is longer than the engine can count"));
    }
    Ok(Duration::from_millis(duration))
}

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// ISO 8601 without what has no fixed length, years and months; whole numbers only.
fn iso8601(text: &str) -> Option<u64> {
    let (days, time) = match text.split_once('T') {
        Some((days, time)) if !time.is_empty() => (days, time),
        Some(_) => return None,
        None => (text, ""),
    };
    let dated = if days.is_empty() {
        Some(0)
    } else {
        units(days, &[("W", 7 * DAY), ("D", DAY)])
    };
    let timed = if time.is_empty() {
        Some(0)
    } else {
        units(time, &[("H", HOUR), ("M", MINUTE), ("S", SECOND)])
    };
    if text.is_empty() {
        return None;
    }
    dated?.checked_add(timed?)
}

/// Numbers, each followed by its unit.
fn units(mut text: &str, units: &[(&str, u64)]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !text.is_empty() {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at_checked(digits)?;
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, rest) = rest.split_at_checked(letters)?;
        let (_, length) = units.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        text = rest;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lengths_of_time_are_read_in_both_spellings() {
        let table = [
            ("500ms", 500),
            ("30s", 30_000),
            ("1h", 3_600_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("0s", 0),
            ("PT1H", 3_600_000),
            ("PT1H30M", 5_400_000),
            ("PT30S", 30_000),
            ("P1D", 86_400_000),
            ("P1DT1S", 86_401_000),
            ("P1W", 604_800_000),
        ];
        for (text, millis) in table {
            assert_eq!(parse(text).map(|d| d.as_millis()), Ok(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in [
            "",
            "1",
            "h",
            "1x",
            "-1s",
            "1.5h",
            "1 h",
            "P",
            "PT",
            "P1Y",
            "P1M",
            "PT1",
            "1H",
            "pt1h",
            "99999999999999999999s",
            "99999999999999999d",
            "9223372036854775808ms",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
