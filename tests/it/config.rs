//! Bad configuration is fatal before a port is bound, and every problem names its variable.
//!
//! - `mistakes`: what is refused, and in which words.
//! - `overlooked`: what is let pass and warned about.
//! - `values`: what a value that is accepted means.
//! - `secrets`: what must not show.
//! - `declared`: the declarations, their defaults and the page made of them.

mod declared;
mod mistakes;
mod overlooked;
mod secrets;
mod values;

use eventing_zeebe::config::Config;

pub(crate) fn read(variables: &[(&str, &str)]) -> Result<Config, Vec<(String, String)>> {
    Config::from_variables(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
    .map_err(|errors| {
        errors
            .problems()
            .iter()
            .map(|problem| (problem.variable.clone(), problem.problem.clone()))
            .collect()
    })
}
