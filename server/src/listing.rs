//! The registry as the server offers it: each row with its door, and the list for people and for the page.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use limn_pipeline::{Door, Input, PipelineEntry, Registry, Row, RunsOn};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// A row with all that is needed to paint with it.
#[derive(Clone)]
pub struct Choice {
    /// The pipeline.
    pub entry: &'static PipelineEntry,
    /// The row.
    pub row: &'static Row,
    /// Its door for parameters.
    pub door: Arc<Door>,
}

impl Choice {
    /// What it paints from.
    pub fn input(&self) -> Input {
        self.row.input.unwrap_or(self.entry.info.input)
    }
}

/// Every row that is offered, as it paints on this machine, with its door compiled once.
pub struct Listing {
    registry: Registry,
    entries: Vec<&'static PipelineEntry>,
    rows: HashMap<&'static str, (&'static Row, Arc<Door>)>,
    first: Choice,
}

/// `GET /api/pipelines`.
#[derive(Serialize, JsonSchema)]
pub struct Pipelines {
    /// The row that new sessions begin with.
    default: &'static str,
    pipelines: Vec<PipelineState>,
}

#[derive(Serialize, JsonSchema)]
struct PipelineState {
    id: &'static str,
    title: &'static str,
    summary: &'static str,
    input: Input,
    runs_on: RunsOn,
    rows: Vec<RowState>,
}

#[derive(Serialize, JsonSchema)]
struct RowState {
    id: &'static str,
    /// Other names that it answers to.
    aliases: &'static [&'static str],
    title: &'static str,
    input: Input,
    checkpoint: Option<&'static str>,
    /// The JSON schema of its parameters.
    schema: Value,
    defaults: Map<String, Value>,
}

/// The operator or a user named something that is not offered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum UnknownPipeline {
    /// It is not in the registry.
    #[error("unknown pipeline `{name}`; there are: {known}")]
    Nonesuch {
        /// What was named.
        name: String,
        /// What there is.
        known: String,
    },
    /// It is there, but everything that is shown must have been checked.
    #[error(
        "`{name}` is not offered, for the safety checker does not look at what it shows; there are: {known}"
    )]
    Unguarded {
        /// What was named.
        name: String,
        /// What there is.
        known: String,
    },
}

impl Listing {
    /// Compiles the doors. `first` names the row that new sessions start with; the registry's first if `None`. `model` is
    /// the operator's checkpoint. With `guarded` only those rows are offered that the safety checker looks at.
    ///
    /// # Errors
    /// If there is no such row, or it is not offered.
    pub fn new(
        registry: Registry,
        first: Option<&str>,
        model: Option<&str>,
        guarded: bool,
    ) -> Result<Self, UnknownPipeline> {
        let offered = |entry: &&PipelineEntry| entry.guarded || !guarded;
        let entries: Vec<_> = registry.entries.iter().filter(offered).collect();
        let each = entries
            .iter()
            .flat_map(|entry| entry.rows.iter().map(move |row| (entry, row)));
        let rows: HashMap<_, _> = each
            .map(|(entry, row)| {
                let row = (registry.at_hand)(model, row);
                (row.id, (row, Arc::new((entry.door)(row))))
            })
            .collect();
        let name = first.or_else(|| Some(entries.first()?.info.id));
        let first = choose(&registry, &rows, name.unwrap_or_default())?;
        Ok(Self {
            registry,
            entries,
            rows,
            first,
        })
    }

    /// The row that `name` means; the first one if no name is given.
    ///
    /// # Errors
    /// If there is no such row, or it is not offered.
    pub fn choose(&self, name: Option<&str>) -> Result<Choice, UnknownPipeline> {
        name.map_or_else(
            || Ok(self.first.clone()),
            |name| choose(&self.registry, &self.rows, name),
        )
    }

    /// The row that new sessions start with.
    pub fn first(&self) -> &Choice {
        &self.first
    }

    /// All rows, in the order of the registry.
    pub fn rows(&self) -> impl Iterator<Item = Choice> {
        self.entries.iter().flat_map(move |&entry| {
            entry.rows.iter().map(move |row| {
                let (row, door) = &self.rows[row.id];
                Choice {
                    entry,
                    row,
                    door: Arc::clone(door),
                }
            })
        })
    }

    /// `GET /api/pipelines`.
    pub fn pipelines(&self) -> Pipelines {
        let row = |entry: &PipelineEntry, row: &Row| {
            let (row, door) = &self.rows[row.id];
            RowState {
                id: row.id,
                aliases: row.aliases,
                title: row.title,
                input: row.input.unwrap_or(entry.info.input),
                checkpoint: row.checkpoint.map(|checkpoint| checkpoint.name),
                schema: door.schema().clone(),
                defaults: door.defaults().as_map().clone(),
            }
        };
        let pipeline = |entry: &PipelineEntry| PipelineState {
            id: entry.info.id,
            title: entry.info.title,
            summary: entry.info.summary,
            input: entry.info.input,
            runs_on: entry.info.runs_on,
            rows: entry.rows.iter().map(|of| row(entry, of)).collect(),
        };
        Pipelines {
            default: self.first.row.id,
            pipelines: self.entries.iter().copied().map(pipeline).collect(),
        }
    }
}

fn choose(
    registry: &Registry,
    rows: &HashMap<&'static str, (&'static Row, Arc<Door>)>,
    name: &str,
) -> Result<Choice, UnknownPipeline> {
    let known = || {
        let names = registry.names().into_iter();
        let offered: Vec<_> = names.filter(|name| rows.contains_key(name)).collect();
        offered.join(", ")
    };
    let (entry, row) = registry
        .find(name)
        .ok_or_else(|| UnknownPipeline::Nonesuch {
            name: name.to_owned(),
            known: known(),
        })?;
    let (row, door) = rows.get(row.id).ok_or_else(|| UnknownPipeline::Unguarded {
        name: row.id.to_owned(),
        known: known(),
    })?;
    Ok(Choice {
        entry,
        row,
        door: Arc::clone(door),
    })
}

/// What `--list-pipelines` prints.
pub fn text(registry: &Registry) -> String {
    let mut out = String::new();
    for entry in registry.entries {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}: {}", entry.info.id, entry.info.summary);
        for row in entry.rows {
            let aliases = if row.aliases.is_empty() {
                String::new()
            } else {
                format!(" (also {})", row.aliases.join(", "))
            };
            let checkpoint = row
                .checkpoint
                .map(|checkpoint| format!(", {}", checkpoint.name))
                .unwrap_or_default();
            let embedded = match row.embedded {
                Some(_) => " or embedded",
                None => "",
            };
            let _ = writeln!(
                out,
                "  {:<20} {}{checkpoint}{embedded}{aliases}",
                row.id, row.title
            );
        }
    }
    out
}
