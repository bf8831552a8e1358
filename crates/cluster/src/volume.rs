//! The data volume that host and pod share: what is on it, and what has to be there before a launch.
//!
//! Everything is done beneath the opened root of the volume, without following a link: the kubelet follows one, so a
//! directory that is mounted must have none on its way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use claude_k8s_core::failure::Refusal;
use claude_k8s_core::files::Trouble;
use claude_k8s_core::launch::not_prepared;
use claude_k8s_core::plan::{Entry, LookAt, Make, Preparation, SessionCopy, TranscriptPlace, VolumeFacts, Whose};

use crate::files::{Access, Budget, FileError, Owner, Root, Shared, blocking, own_uid};

/// For looking, for making and for copying, each.
const TIME: Duration = Duration::from_secs(10);
/// A `.git` file holds one path.
const GIT_FILE_MAX: u64 = 4096;
/// A session: its transcript, and the big outputs of its tools.
const SESSION_BYTES: u64 = 512 * 1024 * 1024;
const SESSION_FILES: usize = 10_000;

/// Looks at the places. What cannot be looked at is not known: the launch will tell.
pub(crate) async fn look(at: LookAt) -> VolumeFacts {
    let root = PathBuf::from(&at.root);
    blocking(&root.clone(), TIME, move || Ok(look_now(&Root::open(&root, &Shared::default())?, &at)))
        .await
        .unwrap_or_default()
}

fn look_now(root: &Root, at: &LookAt) -> VolumeFacts {
    let below = |path: &str| Path::new(path).strip_prefix(&at.root).map(Path::to_owned).ok();
    let entry = |path: &String| {
        let found = match root.dir(below(path)?) {
            Ok(_) | Err(FileError { trouble: Trouble::Other { denied: true, .. }, .. }) => Entry::Directory,
            Err(FileError { trouble: Trouble::Link, .. }) => Entry::Link,
            Err(FileError { trouble: Trouble::NotADirectory, .. }) => Entry::File,
            Err(_) => return None,
        };
        Some((path.clone(), found))
    };
    let git_file = |path: &String| {
        let directory = root.dir(below(path)?).ok()?;
        let bytes = directory.read(".git", &mut Budget::one(GIT_FILE_MAX, TIME)).ok()?;
        Some((path.clone(), String::from_utf8(bytes).ok()?))
    };
    VolumeFacts {
        entries: at.entries.iter().filter_map(entry).collect(),
        git_files: at.worktrees.iter().filter_map(git_file).collect(),
    }
}

/// Makes what is missing, with the pod's ids, and brings a session along. Returns what went wrong with the session: a run
/// goes on without it.
///
/// # Errors
/// A directory that can neither be used nor made.
pub(crate) async fn prepare(preparation: Preparation) -> Result<Option<String>, Refusal> {
    let root = PathBuf::from(&preparation.root);
    let session = preparation.session.clone();
    let pods = Pods { user: id(preparation.user), group: id(preparation.group) };
    let opened = root.clone();
    let made = blocking(&root, TIME, move || {
        let root = match Root::open(&opened, &Shared::default()) {
            // A process that is only named after its pod has not its volumes: what is covered stays covered.
            Err(FileError { trouble: Trouble::Missing, .. }) => return Ok(()),
            root => root?,
        };
        preparation.make.iter().try_for_each(|one| make(&root, one, pods))
    });
    made.await.map_err(|error| not_prepared(&error.path.to_string_lossy(), &error.trouble, pods.user))?;
    let Some(session) = session else { return Ok(None) };
    let opened = root.clone();
    let copied = blocking(&root, TIME, move || copy(&Root::open(&opened, &Shared::default())?, &session, pods));
    Ok(copied.await.err().map(|error| error.to_string()))
}

/// The size of a transcript, which is not read. What cannot be looked at is not known.
pub(crate) async fn transcript_bytes(at: TranscriptPlace) -> Option<u64> {
    let root = PathBuf::from(&at.root);
    let opened = root.clone();
    blocking(&root, TIME, move || Ok(Root::open(&opened, &Shared::default())?.dir(&at.directory)?.file_bytes(&at.name)))
        .await
        .ok()?
}

/// Ids of the pod.
#[derive(Debug, Clone, Copy)]
struct Pods {
    user: u32,
    group: u32,
}

impl Pods {
    /// Root gives things away. Another server keeps them and lets the pod in: by the user they share, else by the group.
    fn access(self, alone: u32, shared: u32) -> Access {
        let Self { user, group } = self;
        match own_uid() {
            0 => Access { mode: alone, owner: Some(Owner { uid: Some(user), gid: Some(group) }) },
            own if own == user => Access { mode: alone, owner: None },
            _ => Access { mode: shared, owner: Some(Owner { uid: None, gid: Some(group) }) },
        }
    }
}

fn make(root: &Root, one: &Make, pods: Pods) -> Result<(), FileError> {
    let path = Path::new(&one.path);
    let access = match one.whose {
        Whose::Pods => pods.access(0o755, 0o775),
        Whose::PodsAlone => pods.access(0o700, 0o770),
        Whose::Servers => Access::mode(0o700),
        Whose::ServersList => {
            return match root.write_new(path, b"[]\n", Access::mode(0o600)) {
                Err(FileError { trouble: Trouble::Exists, .. }) => Ok(()),
                written => written,
            };
        }
    };
    // The way to it is the server's, so that no pod can put another directory in its place.
    let parent = path.parent().unwrap_or(Path::new(""));
    let in_agent_home = one.whose == Whose::Pods && path.components().any(|part| part.as_os_str() == "k8s-homes");
    let way = if in_agent_home { access } else { Access::mode(0o755) };
    root.dir_or_make(parent, way)?;
    root.dir_or_make(path, access).map(drop)
}

/// Copies what the agent's own home does not have yet.
fn copy(root: &Root, session: &SessionCopy, pods: Pods) -> Result<(), FileError> {
    let SessionCopy { from, to, directory, id } = session;
    let (common, own) = (root.dir(from)?, root.dir(to)?);
    let mut budget = Budget::new(SESSION_BYTES, SESSION_FILES, TIME);
    budget.each = SESSION_BYTES;
    let owner = pods.access(0, 0).owner;
    let transcript = format!("{id}.jsonl");
    // The transcript last: while it is missing, the copy is not complete.
    let parts = [
        (".claude/file-history".to_owned(), id.clone()),
        (directory.clone(), id.clone()),
        (directory.clone(), transcript),
    ];
    if own.dir(directory).is_ok_and(|own| own.has(&parts[2].1)) {
        return Ok(());
    }
    for (directory, name) in parts {
        let from = match common.dir(&directory) {
            Err(FileError { trouble: Trouble::Missing, .. }) => continue,
            found => found?,
        };
        if !from.has(&name) {
            continue;
        }
        let to = own.dir_or_make(&directory, pods.access(0o700, 0o770))?;
        if to.has(&name) {
            continue;
        }
        from.copy_to(&name, &to, &name, &mut budget, owner)?;
    }
    Ok(())
}

fn id(id: i64) -> u32 {
    u32::try_from(id).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    const ID: &str = "11111111-2222-4333-8444-555555555555";

    fn preparation(root: &Path, make: Vec<Make>) -> Preparation {
        let (user, group) = (1000, 1000);
        Preparation { root: root.to_string_lossy().into_owned(), make, session: None, user, group }
    }

    fn pods(path: &str) -> Make {
        Make { path: path.to_owned(), whose: Whose::Pods }
    }

    fn session() -> SessionCopy {
        SessionCopy {
            from: String::new(),
            to: "home".into(),
            directory: ".claude/projects/-paperclip".into(),
            id: ID.into(),
        }
    }

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[tokio::test]
    async fn tru_08_what_is_missing_is_made_with_the_pods_ids_and_its_way_is_the_servers() {
        let volume = tempfile::tempdir().unwrap();
        let alone = Make { path: "instances/default/k8s-homes/acme/ada".to_owned(), whose: Whose::PodsAlone };
        let list = Make { path: "adapter-plugins.json".to_owned(), whose: Whose::ServersList };
        let make = vec![pods("instances/default/workspaces/ada"), alone, list];
        for _twice in 0..2 {
            prepare(preparation(volume.path(), make.clone())).await.unwrap();
        }
        let found = |path: &str| fs::metadata(volume.path().join(path)).unwrap();
        let owner = if own_uid() == 0 { 1000 } else { own_uid() };
        assert_eq!(found("instances/default/workspaces/ada").uid(), owner);
        assert_eq!(found("instances/default/workspaces").uid(), own_uid());
        if own_uid() == 0 {
            assert_eq!(found("instances/default/k8s-homes/acme/ada").mode() & 0o777, 0o700);
        }
        assert_eq!(found("instances/default/k8s-homes/acme").uid(), own_uid());
        assert_eq!(fs::read(volume.path().join("adapter-plugins.json")).unwrap(), b"[]\n");
    }

    #[tokio::test]
    async fn tru_09_a_link_on_the_way_to_a_mounted_directory_refuses_the_run() {
        let volume = tempfile::tempdir().unwrap();
        fs::create_dir_all(volume.path().join("instances/default/secrets")).unwrap();
        fs::create_dir_all(volume.path().join("work")).unwrap();
        symlink("../instances/default/secrets", volume.path().join("work/repo")).unwrap();
        symlink("instances/default", volume.path().join("jump")).unwrap();
        for path in ["work/repo", "work/repo/deeper", "jump/secrets"] {
            let refusal = prepare(preparation(volume.path(), vec![pods(path)])).await.unwrap_err();
            assert!(refusal.message.contains("link"), "{path}: {}", refusal.message);
            assert!(refusal.message.contains("isolation"), "{path}: {}", refusal.message);
        }
        assert_eq!(fs::read_dir(volume.path().join("instances/default/secrets")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn tru_10_a_session_of_the_common_home_is_copied_once_and_nothing_else() {
        let volume = tempfile::tempdir().unwrap();
        let at = |path: &str| volume.path().join(path);
        let projects = ".claude/projects/-paperclip";
        write(&at(&format!("{projects}/{ID}.jsonl")), "first");
        write(&at(&format!("{projects}/{ID}/subagents/a.jsonl")), "agent");
        write(&at(&format!("{projects}/other.jsonl")), "another session");
        write(&at(".claude/.credentials.json"), "login");
        symlink("/etc/passwd", at(&format!("{projects}/{ID}/link"))).unwrap();
        let alone = Make { path: "home".to_owned(), whose: Whose::PodsAlone };
        let preparation = Preparation { session: Some(session()), ..preparation(volume.path(), vec![alone]) };
        assert_eq!(prepare(preparation.clone()).await.unwrap(), None);
        let text = |path: &str| fs::read_to_string(at(&format!("home/{path}"))).ok();
        assert_eq!(text(&format!("{projects}/{ID}.jsonl")).as_deref(), Some("first"));
        assert_eq!(text(&format!("{projects}/{ID}/subagents/a.jsonl")).as_deref(), Some("agent"));
        for absent in
            [format!("{projects}/other.jsonl"), format!("{projects}/{ID}/link"), ".claude/.credentials.json".into()]
        {
            assert!(fs::symlink_metadata(at(&format!("home/{absent}"))).is_err(), "{absent}");
        }
        fs::write(at(&format!("home/{projects}/{ID}.jsonl")), "went on").unwrap();
        assert_eq!(prepare(preparation).await.unwrap(), None);
        assert_eq!(text(&format!("{projects}/{ID}.jsonl")).as_deref(), Some("went on"));
    }

    #[tokio::test]
    async fn tru_10_a_transcript_that_is_a_link_is_not_copied() {
        let volume = tempfile::tempdir().unwrap();
        let projects = volume.path().join(".claude/projects/-paperclip");
        write(&volume.path().join("secret"), "master key");
        fs::create_dir_all(&projects).unwrap();
        symlink("../../../secret", projects.join(format!("{ID}.jsonl"))).unwrap();
        let alone = Make { path: "home".to_owned(), whose: Whose::PodsAlone };
        let preparation = Preparation { session: Some(session()), ..preparation(volume.path(), vec![alone]) };
        assert!(prepare(preparation).await.unwrap().unwrap().contains("link"));
        let copy = volume.path().join(format!("home/.claude/projects/-paperclip/{ID}.jsonl"));
        assert!(fs::symlink_metadata(copy).is_err());
    }

    #[tokio::test]
    async fn what_is_on_the_volume_is_told_without_following_a_link() {
        let volume = tempfile::tempdir().unwrap();
        let root = volume.path().to_string_lossy().into_owned();
        write(&volume.path().join(".env"), "A=1");
        write(&volume.path().join("tree/.git"), "gitdir: /x/.git/worktrees/tree\n");
        write(&volume.path().join("large/.git"), &"x".repeat(5000));
        fs::create_dir_all(volume.path().join("instances")).unwrap();
        symlink("instances", volume.path().join("plugins")).unwrap();
        let path = |name: &str| format!("{root}/{name}");
        let entries = [".env", "instances", "plugins", "absent"].map(path).into_iter().collect();
        let worktrees = ["tree", "large", "absent"].map(path).to_vec();
        let facts = look(LookAt { root: root.clone(), entries, worktrees }).await;
        let found = |name: &str| facts.entries.get(&path(name)).copied();
        assert_eq!(
            [".env", "instances", "plugins", "absent"].map(found),
            [Some(Entry::File), Some(Entry::Directory), Some(Entry::Link), None]
        );
        assert_eq!(facts.git_files.into_keys().collect::<Vec<_>>(), [path("tree")]);
    }
}
