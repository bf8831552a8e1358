//! `resources`: dotted keys over nested values over defaults, each value on its own.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::grammar::LABEL_KEY;
use super::keys::{
    Key, RESOURCES_LIMITS_CPU, RESOURCES_LIMITS_MEMORY, RESOURCES_REQUESTS_CPU, RESOURCES_REQUESTS_MEMORY, Size,
};
use super::quantity::Quantity;
use super::reader::{Reader, is_unset};
use super::structured::shown;
use super::types::Resources;

/// Dotted key, side, resource name.
static DOTTED: [(&Key<Size>, Side, &str); 4] = [
    (&RESOURCES_REQUESTS_CPU, Side::Requests, "cpu"),
    (&RESOURCES_REQUESTS_MEMORY, Side::Requests, "memory"),
    (&RESOURCES_LIMITS_CPU, Side::Limits, "cpu"),
    (&RESOURCES_LIMITS_MEMORY, Side::Limits, "memory"),
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Requests,
    Limits,
}

impl Side {
    fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Limits => "limits",
        }
    }
}

/// One quantity and whether the operator wrote it.
struct Entry {
    quantity: Quantity,
    configured: bool,
}

type Entries = BTreeMap<(Side, String), Entry>;

pub(super) fn read(reader: &mut Reader<'_>) -> Resources {
    let mut entries = Entries::new();
    for (key, side, name) in DOTTED {
        if let Some(quantity) = Quantity::parse(key.shape.0) {
            entries.insert((side, name.to_owned()), Entry { quantity, configured: false });
        }
    }
    read_nested(reader, &mut entries);
    for (key, side, name) in DOTTED {
        if let Some(quantity) = reader.quantity(key.name) {
            entries.insert((side, name.to_owned()), Entry { quantity, configured: true });
        }
    }
    check_order(reader, &entries);
    let side = |wanted: Side| {
        let of_side = entries.iter().filter(|((side, _), _)| *side == wanted);
        of_side.map(|((_, name), entry)| (name.clone(), entry.quantity.as_str().to_owned())).collect()
    };
    Resources { requests: side(Side::Requests), limits: side(Side::Limits) }
}

fn read_nested(reader: &mut Reader<'_>, entries: &mut Entries) {
    let Some(value) = reader.yaml("resources") else { return };
    let Value::Object(members) = value else {
        reader.reject("resources", format!("expected an object with `requests` and `limits`, got {}", shown(&value)));
        return;
    };
    for (member, value) in &members {
        match (member.as_str(), value) {
            (_, Value::Null) if matches!(member.as_str(), "requests" | "limits") => {}
            ("requests", Value::Object(quantities)) => read_side(reader, entries, Side::Requests, quantities),
            ("limits", Value::Object(quantities)) => read_side(reader, entries, Side::Limits, quantities),
            ("requests" | "limits", other) => {
                let path = format!("resources.{member}");
                reader.reject(path, format!("expected an object of quantities, got {}", shown(other)));
            }
            _ => reader.reject(format!("resources.{member}"), "is not a member of `resources` (`requests`, `limits`)"),
        }
    }
}

fn read_side(reader: &mut Reader<'_>, entries: &mut Entries, side: Side, quantities: &Map<String, Value>) {
    for (name, value) in quantities {
        let path = format!("resources.{}.{name}", side.as_str());
        if !is_resource_name(name) {
            reader.reject(
                path,
                "is not a resource (`cpu`, `memory`, `ephemeral-storage`, `hugepages-…`, `example.com/name`)",
            );
        } else if value.is_null() {
            entries.remove(&(side, name.clone()));
        } else if !is_unset(value)
            && let Some(quantity) = reader.quantity_at(&path, value)
        {
            entries.insert((side, name.clone()), Entry { quantity, configured: true });
        }
    }
}

/// What the API server takes as a resource of a container.
fn is_resource_name(name: &str) -> bool {
    let standard = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
    (standard || name.contains('/')) && LABEL_KEY.accepts(name)
}

/// Refuses a request above its limit and names the value that the operator wrote.
fn check_order(reader: &mut Reader<'_>, entries: &Entries) {
    for ((side, name), request) in entries.iter().filter(|((side, _), _)| *side == Side::Requests) {
        let Some(limit) = entries.get(&(Side::Limits, name.clone())) else { continue };
        if request.quantity <= limit.quantity {
            continue;
        }
        let culprit = if request.configured { *side } else { Side::Limits };
        let origin = |entry: &Entry| if entry.configured { "" } else { " (the default)" };
        reader.reject(
            format!("resources.{}.{name}", culprit.as_str()),
            format!(
                "the request `{}`{} is above the limit `{}`{}; change one of them",
                request.quantity.as_str(),
                origin(request),
                limit.quantity.as_str(),
                origin(limit),
            ),
        );
    }
}
