//! What can be wrong with names: unknown, there twice, in a circle, or not known yet when they are needed.

use std::collections::{BTreeMap, BTreeSet};

use super::super::refusal::Refusal;
use super::super::text::Text;
use super::super::variables::BUILT_IN;
use super::{Plan, Program};

/// Checks all names, and puts the programs in order.
pub(super) fn check(plan: &mut Plan) -> Result<(), Refusal> {
    in_order(plan)?;
    let names = Names::of(plan)?;
    for text in plan.variables.values() {
        names.of_text(text)?;
    }
    for program in &plan.programs {
        let before = before(plan, &program.name);
        for text in texts(program) {
            for (name, exporter) in names.exported_to(text)? {
                if !before.contains(exporter) {
                    return Err(text.place().refuse(format!(
                        "`{name}` is known once `{exporter}` is ready: `{}` must come `after` it",
                        program.name
                    )));
                }
            }
        }
    }
    for text in plan.says.iter().chain(&plan.command) {
        names.of_text(text)?;
    }
    for text in plan.controls.iter().flat_map(|it| &it.origins) {
        if let Some((name, exporter)) = names.exported_to(text)?.first() {
            return Err(text.place().refuse(format!(
                "`{name}` is known once `{exporter}` is ready, and the controls are there before"
            )));
        }
    }
    Ok(())
}

/// Puts each program after those that it comes after, and leaves the order else as it is.
fn in_order(plan: &mut Plan) -> Result<(), Refusal> {
    let known: Vec<String> = plan.programs.iter().map(|it| it.name.clone()).collect();
    for (after, place) in plan.programs.iter().flat_map(|it| &it.after) {
        if !known.contains(after) {
            return Err(place.refuse(format!(
                "there is no program `{after}`; there are {}",
                known.join(", ")
            )));
        }
    }
    let mut waiting = std::mem::take(&mut plan.programs);
    while !waiting.is_empty() {
        let placed: BTreeSet<&str> = plan.programs.iter().map(|it| it.name.as_str()).collect();
        let next = waiting.iter().position(|it| {
            it.after
                .iter()
                .all(|(name, _)| placed.contains(name.as_str()))
        });
        let Some(next) = next else {
            let names: Vec<&str> = waiting.iter().map(|it| it.name.as_str()).collect();
            return Err(waiting[0].place.refuse(format!(
                "each of {} waits for another: `after` goes in a circle",
                names.join(", ")
            )));
        };
        plan.programs.push(waiting.remove(next));
    }
    Ok(())
}

/// All that are ready before this one is started.
fn before<'a>(plan: &'a Plan, name: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut looking = vec![name];
    while let Some(name) = looking.pop() {
        let program = plan.programs.iter().find(|it| it.name == name);
        for (after, _) in program.iter().flat_map(|it| &it.after) {
            if found.insert(after.as_str()) {
                looking.push(after);
            }
        }
    }
    found
}

fn texts(program: &Program) -> impl Iterator<Item = &Text> {
    let env = program.env.iter().map(|(_, text)| text);
    let exports = program.exports.iter().map(|it| &it.file);
    let ready = program.url.iter().chain(&program.line);
    let command = program.command.iter().chain(&program.args);
    command.chain(env).chain(ready).chain(exports)
}

/// What the names stand for.
struct Names<'a> {
    /// Ports and what the stage itself says.
    known: BTreeSet<&'a str>,
    variables: &'a BTreeMap<String, Text>,
    /// Name and the program that says what it is.
    exported: BTreeMap<&'a str, &'a str>,
}

impl<'a> Names<'a> {
    fn of(plan: &'a Plan) -> Result<Self, Refusal> {
        let mut names = Self {
            known: BUILT_IN.into_iter().collect(),
            variables: &plan.variables,
            exported: BTreeMap::new(),
        };
        for (name, text) in &plan.variables {
            if names.known.contains(name.as_str()) {
                let reason = format!("`{name}` is the stage's own");
                return Err(text.place().refuse(reason));
            }
        }
        for program in &plan.programs {
            let ports = program.ports.iter().map(|(name, _)| name);
            let exports = program.exports.iter().flat_map(|it| &it.names);
            for name in ports.clone().chain(exports.clone()) {
                if names.is_known(name) {
                    let reason = format!("`{name}` means something already");
                    return Err(program.place.refuse(reason));
                }
            }
            names.known.extend(ports.map(String::as_str));
            for name in exports {
                names.exported.insert(name, &program.name);
            }
        }
        Ok(names)
    }

    fn is_known(&self, name: &str) -> bool {
        self.known.contains(name)
            || self.variables.contains_key(name)
            || self.exported.contains_key(name)
    }

    fn of_text(&self, text: &'a Text) -> Result<(), Refusal> {
        self.exported_to(text).map(drop)
    }

    /// The exported names that a text needs, by itself or by its variables, and who exports them.
    fn exported_to(&self, text: &'a Text) -> Result<Vec<(&'a str, &'a str)>, Refusal> {
        let mut found = Vec::new();
        self.follow(text, &mut Vec::new(), &mut found)?;
        Ok(found)
    }

    fn follow(
        &self,
        text: &'a Text,
        on_the_way: &mut Vec<&'a str>,
        found: &mut Vec<(&'a str, &'a str)>,
    ) -> Result<(), Refusal> {
        for name in text.names() {
            if on_the_way.contains(&name) {
                let reason = format!("`{name}` needs itself, by {}", on_the_way.join(", "));
                return Err(text.place().refuse(reason));
            }
            if let Some(exporter) = self.exported.get(name) {
                found.push((name, exporter));
            } else if let Some(variable) = self.variables.get(name) {
                on_the_way.push(name);
                self.follow(variable, on_the_way, found)?;
                on_the_way.pop();
            } else if !self.known.contains(name) {
                let variables = self.variables.keys().map(String::as_str);
                let mut legal: Vec<&str> = self.known.iter().copied().collect();
                legal.extend(variables.chain(self.exported.keys().copied()));
                legal.sort_unstable();
                return Err(text.place().refuse(format!(
                    "there is no variable `{name}`; there are {}",
                    legal.join(", ")
                )));
            }
        }
        Ok(())
    }
}
