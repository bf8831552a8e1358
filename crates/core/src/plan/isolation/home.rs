//! The layout of `PAPERCLIP_HOME`: which part is the server's, which belongs to one run, which is for all agents.
//!
//! ```text
//!  PAPERCLIP_HOME ─┬─ instances ─┬─ <instance> ─┬─ workspaces/<agent>, projects/<company>, …   the run's
//!                  │             │              └─ secrets, db, data, logs, runtime, …          the server's
//!                  │             └─ <other instance>                                            the server's
//!                  ├─ adapter-plugins, adapter-plugins.json, plugins, .env, config.json, …      the server's
//!                  └─ everything else                                                           common
//! ```
//! Below `instances` the run's directories are listed and all the rest is the server's: what a later server puts there
//! is hidden without a word here. Above it is a home that agents share, so there the server's entries are listed.

/// Directories of `PAPERCLIP_HOME` that are the server's. `.paperclip` holds its plug-ins where the home is `HOME`.
pub(super) const SERVER_DIRECTORIES: [&str; 7] = [
    INSTANCES,
    "adapter-plugins",
    "plugins",
    ".paperclip",
    super::STAGING,
    ".worktree-port-reservations.lock",
    "secrets",
];

/// Files of `PAPERCLIP_HOME` that are the server's.
pub(super) const SERVER_FILES: [&str; 8] = [
    "adapter-plugins.json",
    "adapter-settings.json",
    ".env",
    "config.json",
    "context.json",
    "hot-restart-intent.json",
    "hot-restart-report.json",
    "worktree-port-reservations.json",
];

pub(super) const INSTANCES: &str = "instances";

/// Homes of agents, below the directory of the instance.
pub(super) const AGENT_HOMES: &str = "k8s-homes";

/// `PAPERCLIP_HOME` of the host as one run of one agent sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperclipHome {
    /// Parts of the absolute path.
    root: Vec<String>,
    /// Parts below the home, one list per directory of the run.
    own: Vec<Vec<String>>,
    instance: String,
    company: String,
    agent: String,
    /// Parts of what the environment of the server names as its own, such as the file of its key.
    named: Vec<Vec<String>>,
}

/// What a path of the host is, seen from one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Not below `PAPERCLIP_HOME`, and not above it.
    Elsewhere,
    /// It contains `PAPERCLIP_HOME`, or is it.
    Above,
    /// Part of the server: the path below the home that makes it so.
    Server(String),
    /// In a directory of this run.
    Own,
    /// In the home that agents may share.
    Common,
    /// Not an absolute path, or one with `..`: what it means is known only to the file system.
    Unclear,
}

impl PaperclipHome {
    /// `home`: an absolute path. `instance`, `company` and `agent` are each one part of a path.
    #[must_use]
    pub fn new(home: &str, instance: &str, company: &str, agent: &str) -> Self {
        let below = |parts: &[&str]| [INSTANCES, instance].iter().chain(parts).map(|part| (*part).to_owned()).collect();
        let own = vec![
            below(&["workspaces", agent]),
            below(&["projects", &friendly(company)]),
            below(&["companies", company, "agents", agent]),
            below(&[AGENT_HOMES, company, agent]),
            below(&["chat-workspaces", company, agent]),
        ];
        Self {
            root: parts(home).unwrap_or_default(),
            own,
            instance: instance.to_owned(),
            company: company.to_owned(),
            agent: agent.to_owned(),
            named: Vec::new(),
        }
    }

    /// Files and directories that are the server's wherever they lie: its environment names them.
    #[must_use]
    pub fn with_named(mut self, paths: &[&str]) -> Self {
        let named = paths.iter().filter_map(|path| parts(path));
        self.named = named.filter(|named| !self.root.starts_with(named)).collect();
        self
    }

    /// What a path is. Links are not followed: the file system may know better.
    #[must_use]
    pub fn place(&self, path: &str) -> Place {
        let Some(path) = parts(path) else { return Place::Unclear };
        if self.root.starts_with(&path) {
            return Place::Above;
        }
        // What contains a part of the server's shows it.
        if let Some(named) = self.named.iter().find(|named| path.starts_with(named) || named.starts_with(&path)) {
            return Place::Server(format!("/{}", named.join("/")));
        }
        let Some(below) = path.strip_prefix(self.root.as_slice()) else { return Place::Elsewhere };
        if self.own.iter().any(|own| below.starts_with(own)) {
            return Place::Own;
        }
        let first = below[0].as_str();
        if first == INSTANCES {
            return Place::Server(below.iter().take(3).cloned().collect::<Vec<_>>().join("/"));
        }
        if SERVER_DIRECTORIES.contains(&first) || SERVER_FILES.contains(&first) {
            return Place::Server(first.to_owned());
        }
        Place::Common
    }

    /// The absolute path of the home.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}", self.root.join("/"))
    }

    /// A path below the home.
    pub(super) fn below(&self, path: &str) -> String {
        format!("{}/{path}", self.path().trim_end_matches('/'))
    }

    /// The directories that every run of the agent has, on the host.
    pub(super) fn of_every_run(&self) -> Vec<String> {
        self.own.iter().take(3).map(|own| self.below(&own.join("/"))).collect()
    }

    /// The agent's own home, on the host.
    pub(super) fn of_agent(&self) -> String {
        let Self { instance, company, agent, .. } = self;
        self.below(&format!("{INSTANCES}/{instance}/{AGENT_HOMES}/{company}/{agent}"))
    }

    /// The agent's own home on a volume that no server lives on, below its root.
    pub(super) fn of_agent_elsewhere(&self) -> String {
        format!("/{AGENT_HOMES}/{}/{}", self.company, self.agent)
    }

    /// What the environment of the server names, as absolute paths.
    pub(super) fn named(&self) -> impl Iterator<Item = String> {
        self.named.iter().map(|named| format!("/{}", named.join("/")))
    }
}

/// The parts of an absolute path; `None` for another text and for one with `..`.
pub(super) fn parts(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix('/')?;
    let parts = rest.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.map(|part| (part != ".." && !part.contains('\0')).then(|| part.to_owned())).collect()
}

/// The company's directory of projects as the server names it: runs of other characters become one `-`.
fn friendly(id: &str) -> String {
    let mut name = String::new();
    for character in id.trim().chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => name.push(character),
            _ if name.ends_with('\u{0}') => {}
            _ => name.push('\u{0}'),
        }
    }
    let name = name.replace('\u{0}', "-");
    let name = name.trim_matches('-');
    if name.is_empty() { "company".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> PaperclipHome {
        PaperclipHome::new("/data/home/", "default", "acme", "ada")
            .with_named(&["/data/home/keys/master.key", "/etc/x"])
    }

    #[test]
    fn tru_09_what_is_the_servers_is_known_by_its_place() {
        let server = |what: &str| Place::Server(what.to_owned());
        let rows = [
            ("/data/home/instances/default/secrets/master.key", server("instances/default/secrets")),
            ("/data/home/instances/default/.env", server("instances/default/.env")),
            ("/data/home/instances/default/anything-new", server("instances/default/anything-new")),
            ("/data/home/instances/default", server("instances/default")),
            ("/data/home/instances", server("instances")),
            ("/data/home/instances/other/workspaces/ada", server("instances/other/workspaces")),
            ("/data/home/instances/default/workspaces", server("instances/default/workspaces")),
            ("/data/home/instances/default/workspaces/bob", server("instances/default/workspaces")),
            ("/data/home/instances/default/workspaces/ada-2", server("instances/default/workspaces")),
            ("/data/home/instances/default/projects/other/p", server("instances/default/projects")),
            ("/data/home/instances/default/companies/acme/agents/bob", server("instances/default/companies")),
            ("/data/home/instances/default/k8s-homes/acme/bob", server("instances/default/k8s-homes")),
            ("/data/home/adapter-plugins/node_modules/x", server("adapter-plugins")),
            ("/data/home/adapter-plugins.json", server("adapter-plugins.json")),
            ("/data/home/.env", server(".env")),
            ("/data/home/.paperclip-claude-k8s/runs/job", server(".paperclip-claude-k8s")),
            ("/data/home/keys/master.key", server("/data/home/keys/master.key")),
            ("/data/home/keys", server("/data/home/keys/master.key")),
            ("//data/./home//instances/default//db/", server("instances/default/db")),
            ("/data/home/instances/default/workspaces/ada", Place::Own),
            ("/data/home/instances/default/workspaces/ada/repo/.env", Place::Own),
            ("/data/home/instances/default/projects/acme/p/repo", Place::Own),
            ("/data/home/instances/default/companies/acme/agents/ada/instructions/AGENTS.md", Place::Own),
            ("/data/home/instances/default/k8s-homes/acme/ada", Place::Own),
            ("/data/home/instances/default/chat-workspaces/acme/ada/task", Place::Own),
            ("/data/home/work/repo/.env", Place::Common),
            ("/data/home/.claude", Place::Common),
            ("/data/home", Place::Above),
            ("/data", Place::Above),
            ("/", Place::Above),
            ("/data/homes", Place::Elsewhere),
            ("/srv/x", Place::Elsewhere),
            ("/etc", server("/etc/x")),
            ("/data/home/work/../instances", Place::Unclear),
            ("instances/default", Place::Unclear),
            ("", Place::Unclear),
        ];
        for (path, expected) in rows {
            assert_eq!(home().place(path), expected, "{path}");
        }
    }

    #[test]
    fn a_company_has_its_projects_where_the_server_puts_them() {
        for (id, name) in [("a b/c", "a-b-c"), ("..", ".."), ("-x-", "x"), (" ", "company"), ("日本", "company")] {
            assert_eq!(friendly(id), name, "{id}");
        }
    }
}
