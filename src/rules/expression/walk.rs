//! What can be said of an expression before it ever runs.

use cel::IdedExpr;
use cel::common::ast::operators;
use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedEntryExpr, LiteralValue};

use super::Names;
use super::path::{attribute_name, root_name};

/// The functions of CEL's standard library that are there; `has`, `map` and the like are macros.
const FUNCTIONS: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "bytes",
    "dyn",
    "type",
    "hasValue",
    "or",
    "orValue",
    "value",
    "of",
    "none",
    "ofNonZeroValue",
];

/// Names that CEL itself gives a meaning.
const TYPES: &[&str] = &[
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "optional",
];

/// How much an expression can cost, told from its text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// The names that it takes from outside.
    pub(super) names: Vec<Taken>,
    /// How many loops (`map`, `filter`, `all`, `exists`, `in`) lie within each other.
    pub(super) loops: u32,
    /// How often something is put together with `+`.
    pub(super) additions: usize,
    /// How many elements its own lists and maps have.
    pub(super) literals: usize,
    /// The keys that it spells out: `id` and `x-y` of `data.id` and `data["x-y"]`, not what `data[event.subject]` looks for.
    pub(super) keys: Vec<String>,
}

/// How deep the parts of an expression may lie within each other: the interpreter recurses.
const DEPTH_LIMIT: u32 = 50;

/// A name that comes from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) name: String,
    /// The fields that are looked at; `None` where it is taken as a whole.
    pub(super) fields: Option<Vec<String>>,
}

pub(super) fn shape(expression: &IdedExpr, names: &Names) -> Result<Shape, String> {
    let mut walk = Walk {
        names,
        bound: Vec::new(),
        depth: 0,
        shape: Shape::default(),
    };
    walk.expression(expression, 0)?;
    Ok(walk.shape)
}

struct Walk<'a> {
    names: &'a Names,
    /// The names that loops around the present place have given.
    bound: Vec<String>,
    depth: u32,
    shape: Shape,
}

impl Walk<'_> {
    fn expression(&mut self, at: &IdedExpr, loops: u32) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(format!("is nested deeper than {DEPTH_LIMIT} levels"));
        }
        self.part(at, loops)?;
        self.depth -= 1;
        Ok(())
    }

    fn part(&mut self, at: &IdedExpr, loops: u32) -> Result<(), String> {
        match &at.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(name, None),
            Expr::Select(select) => {
                if let (Names::Event, Expr::Ident(root)) = (self.names, &select.operand.expr)
                    && root == "event"
                    && !self.bound.contains(root)
                {
                    attribute_name(&select.field)?;
                }
                self.key(&select.field);
                match &select.operand.expr {
                    Expr::Ident(root) => self.name(root, Some(&select.field)),
                    Expr::Unspecified
                    | Expr::Call(_)
                    | Expr::Comprehension(_)
                    | Expr::List(_)
                    | Expr::Literal(_)
                    | Expr::Map(_)
                    | Expr::Select(_)
                    | Expr::Struct(_) => self.expression(&select.operand, loops),
                }
            }
            Expr::Call(call) => {
                let operator = call.func_name.contains('_') || call.func_name.starts_with('@');
                if !operator && !FUNCTIONS.contains(&call.func_name.as_str()) {
                    return Err(format!(
                        "calls `{}`, which does not exist: there are {} and the macros has, all, \
                         exists, exists_one, map, filter",
                        call.func_name,
                        FUNCTIONS.join(", ")
                    ));
                }
                // What a loop gathers its results with costs no more than the loop.
                let gathers =
                    |at: &IdedExpr| matches!(&at.expr, Expr::Ident(name) if name.starts_with('@'));
                if call.func_name == "_+_" && !call.args.first().is_some_and(gathers) {
                    self.shape.additions += 1;
                }
                if let Some(key) = spelled_out(call) {
                    self.key(key);
                }
                let loops = if call.func_name == "@in" {
                    self.within(loops)
                } else {
                    loops
                };
                if let Some(target) = &call.target {
                    self.expression(target, loops)?;
                }
                self.all(&call.args, loops)
            }
            Expr::List(list) => {
                self.shape.literals += list.elements.len();
                self.all(&list.elements, loops)
            }
            Expr::Map(map) => self.entries(&map.entries, loops),
            Expr::Struct(structure) => Err(format!(
                "makes a `{}`, but there are no such types: write a map, `{{\"name\": value}}`",
                structure.type_name
            )),
            Expr::Comprehension(comprehension) => {
                self.expression(&comprehension.iter_range, loops)?;
                let inner = self.within(loops);
                let before = self.bound.len();
                self.bound.push(comprehension.iter_var.clone());
                self.bound.extend(comprehension.iter_var2.clone());
                self.bound.push(comprehension.accu_var.clone());
                for part in [
                    &comprehension.accu_init,
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                ] {
                    self.expression(part, inner)?;
                }
                self.bound.truncate(before);
                Ok(())
            }
        }
    }

    fn key(&mut self, key: &str) {
        if !self.shape.keys.iter().any(|known| known == key) {
            self.shape.keys.push(key.to_owned());
        }
    }

    fn within(&mut self, loops: u32) -> u32 {
        let inner = loops + 1;
        self.shape.loops = self.shape.loops.max(inner);
        inner
    }

    fn all(&mut self, expressions: &[IdedExpr], loops: u32) -> Result<(), String> {
        expressions
            .iter()
            .try_for_each(|expression| self.expression(expression, loops))
    }

    fn entries(&mut self, entries: &[IdedEntryExpr], loops: u32) -> Result<(), String> {
        self.shape.literals += entries.len();
        entries.iter().try_for_each(|entry| match &entry.expr {
            EntryExpr::StructField(field) => self.expression(&field.value, loops),
            EntryExpr::MapEntry(entry) => {
                self.expression(&entry.key, loops)?;
                self.expression(&entry.value, loops)
            }
        })
    }

    fn name(&mut self, name: &str, field: Option<&String>) -> Result<(), String> {
        let bound = self.bound.iter().any(|bound| bound == name);
        if bound || name.starts_with('@') {
            return Ok(());
        }
        let plain = name.trim_start_matches('.');
        if !TYPES.contains(&plain) {
            root_name(plain, self.names)?;
        }
        let names = &mut self.shape.names;
        match names.iter_mut().find(|known| known.name == plain) {
            Some(known) => match (&mut known.fields, field) {
                (Some(fields), Some(field)) if !fields.contains(field) => {
                    fields.push(field.clone());
                }
                (Some(_), Some(_)) | (None, _) => {}
                (fields @ Some(_), None) => *fields = None,
            },
            None => names.push(Taken {
                name: plain.to_owned(),
                fields: field.map(|field| vec![field.clone()]),
            }),
        }
        Ok(())
    }
}

/// The key of an index such as `data["x-y"]`; none where it is anything but text as it stands.
fn spelled_out(call: &CallExpr) -> Option<&str> {
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::INDEX, [_, key]) => match &key.expr {
            Expr::Literal(LiteralValue::String(key)) => Some(key.inner()),
            Expr::Literal(_)
            | Expr::Unspecified
            | Expr::Call(_)
            | Expr::Comprehension(_)
            | Expr::Ident(_)
            | Expr::List(_)
            | Expr::Map(_)
            | Expr::Select(_)
            | Expr::Struct(_) => None,
        },
        _ => None,
    }
}
