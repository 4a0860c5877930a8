//! What a model's mappings leave out, so that jobs go on in the trace of another event.

use roxmltree::{Document, Node};
use zeebe_client::Resource;

use crate::rules::TRAVEL_VARIABLE;

const BPMN: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
const ZEEBE: &str = "http://camunda.org/schema/zeebe/1.0";
/// What waits for messages and signals, where it has a definition of one.
const EVENTS: [&str; 3] = ["startEvent", "intermediateCatchEvent", "boundaryEvent"];
const DEFINITIONS: [&str; 2] = ["messageEventDefinition", "signalEventDefinition"];

/// A line for each element that takes in an event, and whose output mappings keep its context to itself:
/// they take what they name and nothing else. A file that is no XML has none; the engine says so itself.
pub(super) fn overlooked(model: &Resource) -> Vec<String> {
    let text = std::str::from_utf8(&model.content).unwrap_or_default();
    let Ok(document) = Document::parse(text) else {
        return Vec::new();
    };
    let silent = document
        .descendants()
        .filter(|node| takes_events(*node) && hides_context(*node));
    silent
        .map(|node| {
            format!(
                "{}: the output mappings of `{}` leave out {TRAVEL_VARIABLE}, so what comes behind it goes on in the trace of \
                 the event before, and counts its hops; add one from `={TRAVEL_VARIABLE}` to `{TRAVEL_VARIABLE}`, see \
                 docs/MODELING.md",
                model.name,
                node.attribute("id").unwrap_or("an element without an id"),
            )
        })
        .collect()
}

fn takes_events(node: Node<'_, '_>) -> bool {
    let is_one_of = |names: &[&str], node: Node<'_, '_>| {
        names.iter().any(|name| node.has_tag_name((BPMN, *name)))
    };
    is_one_of(&["receiveTask"], node)
        || is_one_of(&EVENTS, node) && node.children().any(|child| is_one_of(&DEFINITIONS, child))
}

fn hides_context(node: Node<'_, '_>) -> bool {
    let mut outputs = children(node, (BPMN, "extensionElements"))
        .flat_map(|extensions| children(extensions, (ZEEBE, "ioMapping")))
        .flat_map(|mapping| children(mapping, (ZEEBE, "output")))
        .map(|output| output.attribute("target"))
        .peekable();
    outputs.peek().is_some() && outputs.all(|target| target != Some(TRAVEL_VARIABLE))
}

fn children<'a, 'd>(
    of: Node<'a, 'd>,
    name: (&'static str, &'static str),
) -> impl Iterator<Item = Node<'a, 'd>> {
    of.children().filter(move |child| child.has_tag_name(name))
}
