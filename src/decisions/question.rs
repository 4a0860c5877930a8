//! Which decisions are asked for.

use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::decision::Decision;

/// So many are answered where nothing is said.
const USUAL: usize = 100;
/// And so many at most.
const MOST: usize = 1000;
/// What may be asked for.
const PARAMETERS: &str = "`id`, `type`, `rule`, `message`, `job`, `trace`, `outcome` and `limit`";

/// The query of `GET /debug/decisions`: each parameter must be as given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The event's `id`.
    id: Option<String>,
    /// The event's `type`.
    ty: Option<String>,
    /// The name of a rule.
    rule: Option<String>,
    /// The id of a message.
    message: Option<String>,
    /// The key of a job.
    job: Option<i64>,
    /// A trace id.
    trace: Option<String>,
    /// What became of it.
    outcome: Option<String>,
    /// How many.
    limit: Option<usize>,
}

/// A question that cannot be answered: the parameter, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuestionError(String);

impl FromStr for Question {
    type Err = QuestionError;

    /// Reads a query, as it stands behind the `?` of a URL.
    fn from_str(query: &str) -> Result<Self, QuestionError> {
        let mut question = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value);
            match name {
                "id" => question.id = Some(value),
                "type" => question.ty = Some(value),
                "rule" => question.rule = Some(value),
                "message" => question.message = Some(value),
                "job" => question.job = Some(number(name, &value)?),
                "trace" => question.trace = Some(value),
                "outcome" => question.outcome = Some(value),
                "limit" => question.limit = Some(number(name, &value)?),
                other => {
                    return Err(QuestionError(format!(
                        "`{other}` cannot be asked for; {PARAMETERS} can"
                    )));
                }
            }
        }
        Ok(question)
    }
}

fn decoded(value: &str) -> String {
    let spaced = value.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, QuestionError> {
    value
        .parse()
        .map_err(|_| QuestionError(format!("`{name}` must be a whole number, not `{value}`")))
}

impl Question {
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(USUAL).min(MOST)
    }

    pub(super) fn asks_for(&self, decision: &Decision) -> bool {
        let texts = [
            (&self.id, &decision.id),
            (&self.ty, &decision.ty),
            (&self.message, &decision.message_id),
            (&self.trace, &decision.trace),
        ];
        let words = [
            (&self.rule, decision.rule.as_deref()),
            (&self.outcome, Some(decision.outcome)),
        ];
        let same = |asked: &Option<String>, word: Option<&str>| {
            asked.is_none() || asked.as_deref() == word
        };
        texts
            .into_iter()
            .all(|(asked, text)| asked.as_ref().is_none_or(|asked| text.is(asked)))
            && words.into_iter().all(|(asked, word)| same(asked, word))
            && (self.job.is_none() || self.job == decision.job)
    }
}
