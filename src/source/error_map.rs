//! Which answers a task wants as BPMN errors: `409=SOLD_OUT,4xx=REFUSED`.

use http::StatusCode;

/// A task's `error-map`, in its order; the first entry that fits wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorMap(Vec<(Statuses, String)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statuses {
    One(u16),
    /// `4xx`, by its first digit.
    Class(u16),
}

impl ErrorMap {
    /// Reads the header's value.
    ///
    /// # Errors
    /// The entry that is not `STATUS=CODE`.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                entry
                    .split_once('=')
                    .and_then(|(statuses, code)| {
                        Some((statuses_of(statuses.trim())?, code.trim().to_owned()))
                    })
                    .filter(|(_, code)| !code.is_empty())
                    .ok_or_else(|| {
                        format!("`{entry}` is not STATUS=CODE, such as 409=SOLD_OUT or 4xx=REFUSED")
                    })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The error code for an answer, if the task names one.
    #[must_use]
    pub fn code(&self, status: StatusCode) -> Option<&str> {
        let number = status.as_u16();
        self.0
            .iter()
            .find(|(statuses, _)| match statuses {
                Statuses::One(one) => *one == number,
                Statuses::Class(class) => *class == number / 100,
            })
            .map(|(_, code)| code.as_str())
    }
}

fn statuses_of(text: &str) -> Option<Statuses> {
    match text {
        "3xx" | "3XX" => Some(Statuses::Class(3)),
        "4xx" | "4XX" => Some(Statuses::Class(4)),
        "5xx" | "5XX" => Some(Statuses::Class(5)),
        one => one
            .parse()
            .ok()
            .filter(|one| (300..600).contains(one))
            .map(Statuses::One),
    }
}
