//! From files as written to what is started: names resolved to what they mean, order found.
//!
//! - `check`: all that can be wrong with names is found there, before anything is started.

mod check;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::file::{self, File};
use super::refusal::{Place, Refusal};
use super::text::{Text, is_name};

/// How long a program may take until it is ready, unless it says otherwise.
const WITHIN: Duration = Duration::from_secs(60);
/// How long a program may take to end, unless it says otherwise.
const GRACE: Duration = Duration::from_secs(10);

/// What is started, in which order.
#[derive(Debug)]
pub struct Plan {
    pub(super) variables: BTreeMap<String, Text>,
    pub(super) controls: Option<Controls>,
    /// Each after those that it comes after.
    pub(super) programs: Vec<Program>,
    pub(super) says: Vec<Text>,
    /// What is run once all are ready; empty where there is nothing.
    pub(super) command: Vec<Text>,
}

#[derive(Debug)]
pub(super) struct Controls {
    pub(super) port: u16,
    pub(super) origins: Vec<Text>,
}

#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) command: Option<Text>,
    pub(super) args: Vec<Text>,
    pub(super) env: Vec<(String, Text)>,
    pub(super) ports: Vec<(String, u16)>,
    pub(super) url: Option<Text>,
    pub(super) line: Option<Text>,
    pub(super) within: Duration,
    pub(super) after: Vec<(String, Place)>,
    pub(super) grace: Duration,
    pub(super) exports: Option<Exports>,
}

#[derive(Debug)]
pub(super) struct Exports {
    pub(super) file: Text,
    pub(super) names: Vec<String>,
}

impl Plan {
    /// Reads files; of two programs or variables with one name that of the later file counts, and what all of them say is said. `set` has
    /// `NAME=VALUE` for variables and ports, `command` what is run once all are ready.
    ///
    /// # Errors
    /// A file that cannot be read, YAML that is none, a name that nobody knows, a circle; with the line.
    pub fn read(files: &[PathBuf], set: &[String], command: &[String]) -> Result<Self, Refusal> {
        let mut plan = Self {
            variables: BTreeMap::new(),
            controls: None,
            programs: Vec::new(),
            says: Vec::new(),
            command: Vec::new(),
        };
        for path in files {
            let (place, file) = file::read(path)?;
            plan.add(&place, file)?;
        }
        for setting in set {
            plan.set(setting)?;
        }
        for word in command {
            let text = Text::parse(Place::argument("the command"), word)?;
            plan.command.push(text);
        }
        check::check(&mut plan)?;
        Ok(plan)
    }

    fn add(&mut self, place: &Place, file: File) -> Result<(), Refusal> {
        for (name, value) in file.variables {
            named(&place.of(&value), &name)?;
            self.variables
                .insert(name, Text::parse(place.of(&value), &value.value)?);
        }
        if let Some(controls) = file.controls {
            let origins = controls.origins.iter();
            self.controls = Some(Controls {
                port: controls.port,
                origins: origins
                    .map(|origin| Text::parse(place.of(origin), &origin.value))
                    .collect::<Result<_, _>>()?,
            });
        }
        if let Some(says) = file.says {
            self.says.push(Text::parse(place.of(&says), &says.value)?);
        }
        let mut here = Vec::new();
        for program in file.programs {
            let program = compile(place, program)?;
            if here.contains(&program.name) {
                return Err(program
                    .place
                    .refuse(format!("there are two programs `{}`", program.name)));
            }
            here.push(program.name.clone());
            match self.programs.iter_mut().find(|it| it.name == program.name) {
                Some(earlier) => *earlier = program,
                None => self.programs.push(program),
            }
        }
        Ok(())
    }

    fn set(&mut self, setting: &str) -> Result<(), Refusal> {
        let place = Place::argument("--set");
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| place.refuse(format!("`{setting}` is not NAME=VALUE")))?;
        if let Some(text) = self.variables.get_mut(name) {
            *text = Text::parse(place, value)?;
            return Ok(());
        }
        let ports = self.programs.iter_mut().flat_map(|it| &mut it.ports);
        let mut legal: Vec<String> = self.variables.keys().cloned().collect();
        for (port, wished) in ports {
            if port == name {
                *wished = value
                    .parse()
                    .map_err(|_| place.refuse(format!("`{value}` is no port")))?;
                return Ok(());
            }
            legal.push(port.clone());
        }
        Err(place.refuse(format!(
            "there is no `{name}` to set; there are {}",
            legal.join(", ")
        )))
    }
}

fn compile(place: &Place, program: file::Program) -> Result<Program, Refusal> {
    let here = place.of(&program.name);
    let name = program.name.value;
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.is_empty() || !name.chars().all(legal) {
        return Err(here.refuse(format!(
            "`{name}` cannot be a program's name: it has letters, digits and `-`"
        )));
    }
    let text = |it: &serde_saphyr::Spanned<String>| Text::parse(place.of(it), &it.value);
    let mut ports = Vec::new();
    for (port, wished) in program.ports {
        named(&place.of(&wished), &port)?;
        ports.push((port, wished.value));
    }
    let exports = match program.exports {
        None => None,
        Some(exports) => {
            for name in &exports.names {
                named(&place.of(name), &name.value)?;
            }
            Some(Exports {
                file: text(&exports.file)?,
                names: exports.names.into_iter().map(|name| name.value).collect(),
            })
        }
    };
    let (url, line) = program.ready.map_or((None, None), |it| (it.url, it.line));
    let env = program.env.iter();
    Ok(Program {
        command: program.command.as_ref().map(text).transpose()?,
        args: program.args.iter().map(text).collect::<Result<_, _>>()?,
        env: env
            .map(|(name, value)| Ok((name.clone(), text(value)?)))
            .collect::<Result<_, _>>()?,
        ports,
        url: url.as_ref().map(text).transpose()?,
        line: line.as_ref().map(text).transpose()?,
        within: program.within_seconds.map_or(WITHIN, Duration::from_secs),
        after: program
            .after
            .into_iter()
            .map(|after| (after.value.clone(), place.of(&after)))
            .collect(),
        grace: program.grace_seconds.map_or(GRACE, Duration::from_secs),
        exports,
        name,
        place: here,
    })
}

fn named(place: &Place, name: &str) -> Result<(), Refusal> {
    if is_name(name) {
        return Ok(());
    }
    Err(place.refuse(format!(
        "`{name}` cannot be a variable: a name has capital letters, digits and `_`"
    )))
}
