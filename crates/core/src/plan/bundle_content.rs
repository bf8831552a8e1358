//! Skills and instructions as files, and the key that identifies them.

use sha2::{Digest, Sha256};

use crate::names::{hex, is_path_part};

/// First line of what is hashed. A changed layout of the bundle is another bundle.
const VERSION: &str = "paperclip-claude-bundle:2\n";

/// File with the agent's instructions, at the top of the bundle.
const INSTRUCTIONS_FILE: &str = "agent-instructions.md";

/// What was read from the host's disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleSources {
    /// Content of `instructionsFilePath`.
    pub instructions: Option<String>,
    /// Files below [`super::instructions_root`], with paths relative to it; empty when the pod can see that directory.
    pub instructions_root: Vec<BundleFile>,
    /// Skills that could be read.
    pub skills: Vec<SkillFiles>,
    /// What could not be read, and what was left out.
    pub warnings: Vec<String>,
}

impl BundleSources {
    /// May a skill have this directory name beside those that were read?
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        is_path_part(name) && self.skills.iter().all(|known| known.runtime_name != name)
    }

    /// Something was not read; the run goes on without it.
    pub fn leaves_out(&mut self, what: LeftOut<'_>, cause: impl std::fmt::Display) {
        self.warnings.push(match what {
            LeftOut::Everything => format!("skills and instructions cannot be read: {cause}; the run has none"),
            LeftOut::Instructions => format!("config.instructionsFilePath: {cause}; the run has no instructions"),
            LeftOut::Beside => format!("files next to the instructions are not delivered: {cause}"),
            LeftOut::OneBeside => format!("next to the instructions: {cause}"),
            LeftOut::Skill(name) => format!("skill `{name}` is left out: {cause}"),
            LeftOut::OneOfSkill(name) => format!("skill `{name}`: {cause}"),
        });
    }

    /// A skill whose name [`Self::takes`] refuses.
    pub fn leaves_out_name(&mut self, key: &str, name: &str) {
        self.leaves_out(LeftOut::Skill(key), format_args!("its name `{name}` is taken or no directory name"));
    }
}

/// What of the sources was not read.
#[derive(Debug, Clone, Copy)]
pub enum LeftOut<'a> {
    /// All of them.
    Everything,
    /// The file of the instructions.
    Instructions,
    /// The directory of the instructions.
    Beside,
    /// One file of it.
    OneBeside,
    /// The skill of this name.
    Skill(&'a str),
    /// One file of it.
    OneOfSkill(&'a str),
}

/// One skill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkillFiles {
    /// The host's key of the skill.
    pub key: String,
    /// Directory name below `.claude/skills/`.
    pub runtime_name: String,
    /// Its files, with paths relative to the skill.
    pub files: Vec<BundleFile>,
}

/// One file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleFile {
    /// Relative path with `/`, without `..`.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// May be executed: a script of a skill.
    pub executable: bool,
}

/// All files of a bundle, and their identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleContent {
    /// SHA-256 in hexadecimal over instructions and skills. Stored with a session: another bundle, another session.
    pub key: String,
    /// Files with paths relative to the bundle.
    pub files: Vec<BundleFile>,
}

impl BundleContent {
    /// Puts the bundle together. `instructions` is the complete text of the instructions file.
    ///
    /// `None` when there is neither a skill nor an instruction.
    #[must_use]
    pub fn new(instructions: Option<&str>, skills: &[SkillFiles]) -> Option<Self> {
        if instructions.is_none() && skills.is_empty() {
            return None;
        }
        let mut skills: Vec<&SkillFiles> = skills.iter().collect();
        skills.sort_by(|a, b| a.runtime_name.cmp(&b.runtime_name));
        let mut files = Vec::new();
        if let Some(text) = instructions {
            let bytes = text.as_bytes().to_vec();
            files.push(BundleFile { path: INSTRUCTIONS_FILE.to_owned(), bytes, executable: false });
        }
        for skill in &skills {
            files.extend(skill.files.iter().map(|file| BundleFile {
                path: format!(".claude/skills/{}/{}", skill.runtime_name, file.path),
                ..file.clone()
            }));
        }
        Some(Self { key: key(instructions, &skills), files })
    }

    /// The bundle has an instructions file.
    #[must_use]
    pub fn has_instructions(&self) -> bool {
        self.files.first().is_some_and(|file| file.path == INSTRUCTIONS_FILE)
    }

    /// Sum of all file sizes in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.files.iter().map(|file| file.bytes.len()).sum()
    }
}

fn key(instructions: Option<&str>, skills: &[&SkillFiles]) -> String {
    let mut hash = Sha256::new();
    // Each part carries its length: no text can imitate the border between two parts.
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(VERSION.as_bytes());
    add(instructions.unwrap_or_default().as_bytes());
    for skill in skills {
        add(skill.key.as_bytes());
        add(skill.runtime_name.as_bytes());
        let mut files: Vec<&BundleFile> = skill.files.iter().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        for file in files {
            add(file.path.as_bytes());
            add(&[u8::from(file.executable)]);
            add(&file.bytes);
        }
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill(name: &str, content: &str) -> SkillFiles {
        let file = BundleFile { path: "SKILL.md".to_owned(), bytes: content.into(), executable: false };
        SkillFiles { key: format!("k/{name}"), runtime_name: name.to_owned(), files: vec![file] }
    }

    #[test]
    fn the_key_follows_content_and_not_order() {
        let (a, b) = (skill("a", "1"), skill("b", "2"));
        let key = |instructions, skills: &[SkillFiles]| BundleContent::new(instructions, skills).unwrap().key;
        let first = key(Some("x"), &[a.clone(), b.clone()]);
        assert_eq!(first, key(Some("x"), &[b.clone(), a.clone()]));
        assert_eq!(first.len(), 64);
        assert_ne!(first, key(Some("y"), &[a.clone(), b.clone()]));
        assert_ne!(first, key(Some("x"), &[skill("a", "1!"), b]));
        assert_ne!(first, key(Some("x"), &[a]));
    }

    #[test]
    fn nothing_to_deliver_is_no_bundle() {
        assert_eq!(BundleContent::new(None, &[]), None);
    }

    #[test]
    fn skills_lie_where_the_cli_looks_for_them() {
        let bundle = BundleContent::new(Some("hello"), &[skill("deploy", "x")]).unwrap();
        let paths: Vec<&str> = bundle.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["agent-instructions.md", ".claude/skills/deploy/SKILL.md"]);
        assert!(bundle.has_instructions());
        assert!(!BundleContent::new(None, &[skill("deploy", "x")]).unwrap().has_instructions());
    }
}
