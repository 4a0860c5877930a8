//! ISO 8601 durations as `delivery` has them: `PT0.2S`, `PT1M30S`, `P1DT12H`.

use std::time::Duration;

const NANOS: u128 = 1_000_000_000;

/// The duration, or `None` where the text is none. Years and months have no fixed length and are
/// none here; neither are negative lengths.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let (date, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (text.strip_prefix('P')?, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let date = part(date, &[('W', 604_800), ('D', 86_400)])?;
    let time = part(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
    let nanos = date.checked_add(time)?;
    let seconds = u64::try_from(nanos / NANOS).ok()?;
    let rest = u32::try_from(nanos % NANOS).ok()?;
    Some(Duration::new(seconds, rest))
}

/// Numbers with units, each unit once at most and in this order; in nanoseconds.
fn part(mut text: &str, units: &[(char, u128)]) -> Option<u128> {
    let mut sum = 0_u128;
    for (unit, seconds) in units {
        if let Some((number, rest)) = text.split_once(*unit) {
            sum = sum.checked_add(nanos(number)?.checked_mul(*seconds)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(sum)
}

fn nanos(number: &str) -> Option<u128> {
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // Nanoseconds are enough: further digits are dropped.
    let fraction: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let whole = u128::from(whole.parse::<u64>().ok()?).checked_mul(NANOS)?;
    whole.checked_add(fraction.parse().ok()?)
}
