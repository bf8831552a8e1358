//! Armed faults: which request is hit, and how often.

use regex::Regex;

use super::{Fault, FaultAction};

/// What a request looks like to the rules.
pub(crate) struct Seen<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) verb: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) name: &'a str,
}

#[derive(Debug)]
struct Armed {
    id: u64,
    fault: Fault,
    path: Option<Regex>,
    query: Option<Regex>,
    seen: u32,
    hits: u32,
}

impl Armed {
    fn matches(&self, seen: &Seen<'_>) -> bool {
        let wanted = &self.fault.matching;
        let same = |wanted: &Option<String>, actual: &str| wanted.as_deref().is_none_or(|wanted| wanted == actual);
        same(&wanted.method, seen.method)
            && same(&wanted.verb, seen.verb)
            && same(&wanted.resource, seen.resource)
            && same(&wanted.name, seen.name)
            && self.path.as_ref().is_none_or(|path| path.is_match(seen.path))
            && self.query.as_ref().is_none_or(|query| query.is_match(seen.query))
    }
}

/// Draws what happens to a request, by verb and resource.
type Chooser = Box<dyn FnMut(&str, &str) -> Option<FaultAction> + Send>;

/// The armed faults, oldest first; the first that applies wins.
#[derive(Default)]
pub(crate) struct FaultTable {
    armed: Vec<Armed>,
    /// Asked about requests that no armed fault hits.
    chooser: Option<Chooser>,
    last_id: u64,
}

impl FaultTable {
    pub(crate) fn add(&mut self, fault: Fault) -> Result<u64, regex::Error> {
        let compile = |pattern: &Option<String>| pattern.as_deref().map(Regex::new).transpose();
        let (path, query) = (compile(&fault.matching.path)?, compile(&fault.matching.query)?);
        self.last_id += 1;
        self.armed.push(Armed { id: self.last_id, fault, path, query, seen: 0, hits: 0 });
        Ok(self.last_id)
    }

    pub(crate) fn remove(&mut self, id: Option<u64>) {
        self.armed.retain(|armed| id.is_some_and(|id| armed.id != id));
        self.chooser = self.chooser.take().filter(|_| id.is_some());
    }

    pub(crate) fn choose_by(&mut self, chooser: Chooser) {
        self.chooser = Some(chooser);
    }

    pub(crate) fn hits(&self, id: u64) -> u32 {
        self.armed.iter().find(|armed| armed.id == id).map_or(0, |armed| armed.hits)
    }

    /// The fault for this request; counts it.
    pub(crate) fn strike(&mut self, seen: &Seen<'_>) -> Option<(u64, FaultAction)> {
        for armed in self.armed.iter_mut().filter(|armed| armed.matches(seen)) {
            armed.seen += 1;
            let spent = armed.fault.times.is_some_and(|times| armed.hits >= times);
            if armed.seen > armed.fault.skip && !spent {
                armed.hits += 1;
                return Some((armed.id, armed.fault.action.clone()));
            }
        }
        let chosen = self.chooser.as_mut()?(seen.verb, seen.resource)?;
        Some((0, chosen))
    }
}

impl std::fmt::Debug for FaultTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultTable").field("armed", &self.armed).finish_non_exhaustive()
    }
}
