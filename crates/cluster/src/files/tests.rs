//! Attacks on the host's disk. Each would succeed with `std::fs` on the path.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use claude_k8s_core::files::{FILE_MAX, Kind, READ_TIME, Trouble};
use tempfile::TempDir;

use super::{Access, Budget, Root, Shared, blocking, find};

const MODE: Access = Access::mode(0o700);

/// A volume that pods mount too, and a place outside of it with a secret.
fn world() -> (TempDir, Root, Shared) {
    let world = tempfile::tempdir().unwrap();
    fs::create_dir_all(world.path().join("volume/agent")).unwrap();
    fs::create_dir_all(world.path().join("host")).unwrap();
    fs::write(world.path().join("host/token"), "s3cret").unwrap();
    let volume = world.path().join("volume");
    let shared = Shared::of([&volume]);
    let root = Root::open(&volume, &shared).unwrap();
    (world, root, shared)
}

fn budget() -> Budget {
    Budget::new(64 * 1024 * 1024, 1000, READ_TIME)
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
}

#[test]
fn tru_04_a_link_to_outside_is_not_read_whatever_it_looks_like() {
    let (world, root, _) = world();
    let agent = world.path().join("volume/agent");
    symlink("/proc/self/environ", agent.join("environ")).unwrap();
    symlink("../../host/token", agent.join("relative")).unwrap();
    symlink(world.path().join("volume/agent/real"), agent.join("absolute")).unwrap();
    symlink("../../host", agent.join("directory")).unwrap();
    symlink("loop", agent.join("loop")).unwrap();
    fs::write(agent.join("real"), "x").unwrap();
    symlink("real", agent.join("inside")).unwrap();
    let agent = root.dir("agent").unwrap();
    for path in ["environ", "relative", "absolute", "directory/token", "../agent/../../host/token"] {
        assert!(fs::read(agent.path().join(path)).is_ok(), "the attack on {path} is real");
        let refused = agent.read(path, &mut budget()).unwrap_err();
        assert_eq!(refused.trouble, Trouble::Outside, "{path}");
    }
    assert_eq!(agent.read("loop", &mut budget()).unwrap_err().trouble, Trouble::Link);
    assert_eq!(agent.read("inside", &mut budget()).unwrap(), b"x");
}

#[test]
fn tru_04_no_link_leads_to_a_root_where_pods_can_write() {
    let (world, root, shared) = world();
    symlink("../../host", world.path().join("volume/agent/skill")).unwrap();
    symlink("volume", world.path().join("data")).unwrap();
    let planted = world.path().join("volume/agent/skill");
    assert_eq!(Root::open(&planted, &shared).unwrap_err().trouble, Trouble::Link);
    assert_eq!(root.dir("agent/skill").unwrap_err().trouble, Trouble::Link);
    // By another name of the volume, too.
    let by_another_name = world.path().join("data/agent/skill");
    assert_eq!(Root::open(&by_another_name, &shared).unwrap_err().trouble, Trouble::Link);
    // The operator's own links are followed.
    assert!(Root::open(&world.path().join("data/agent"), &shared).is_ok());
    assert!(Root::open(&planted, &Shared::default()).is_ok());
}

#[test]
fn tru_04_devices_and_fifos_are_refused_before_they_are_opened_and_endless_files_end() {
    let (world, root, _) = world();
    let agent = world.path().join("volume/agent");
    fifo(&agent.join("fifo"));
    let _socket = std::os::unix::net::UnixListener::bind(agent.join("socket")).unwrap();
    let dir = root.dir("agent").unwrap();
    assert_eq!(dir.read("fifo", &mut budget()).unwrap_err().trouble, Trouble::Special("FIFO"));
    assert_eq!(dir.read("socket", &mut budget()).unwrap_err().trouble, Trouble::Special("socket"));
    assert_eq!(dir.read(".", &mut budget()).unwrap_err().trouble, Trouble::IsDirectory);
    let zero = find(Path::new("/dev/zero"), &Shared::default()).unwrap();
    assert_eq!(zero.read(&mut budget()).unwrap_err().trouble, Trouble::Special("device"));
    // Sparse: its size is known before the first byte is read.
    fs::File::create(agent.join("huge")).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(dir.read("huge", &mut budget()).unwrap_err().trouble, Trouble::TooLarge { max: FILE_MAX });
    fs::write(agent.join("small"), "x").unwrap();
    let mut late = Budget::new(1, 1, Duration::ZERO);
    assert_eq!(dir.read("small", &mut late).unwrap_err().trouble, Trouble::TooSlow(Duration::ZERO));
}

#[test]
fn tru_04_a_directory_that_is_swapped_after_it_was_opened_changes_nothing() {
    let (world, root, shared) = world();
    let agent = world.path().join("volume/agent");
    fs::write(agent.join("token"), "mine").unwrap();
    let opened = root.dir("agent").unwrap();
    let found = find(&agent.join("token"), &shared).unwrap();
    fs::rename(&agent, world.path().join("volume/away")).unwrap();
    symlink("../host", &agent).unwrap();
    assert_eq!(fs::read(agent.join("token")).unwrap(), b"s3cret", "the attack is real");
    assert_eq!(opened.read("token", &mut budget()).unwrap(), b"mine");
    assert_eq!(found.read(&mut budget()).unwrap(), b"mine");
    opened.write_new("new", b"x", MODE).unwrap();
    assert!(!world.path().join("host/new").exists());
}

#[test]
fn tru_04_a_walk_names_what_it_leaves_out_and_ends() {
    let (world, root, _) = world();
    let agent = world.path().join("volume/agent");
    fs::create_dir(agent.join("scripts")).unwrap();
    fs::write(agent.join("scripts/run.sh"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(agent.join("scripts/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("scripts", agent.join("again")).unwrap();
    symlink("..", agent.join("scripts/up")).unwrap();
    symlink("../../../host/token", agent.join("scripts/out")).unwrap();
    symlink("/dev/zero", agent.join("zero")).unwrap();
    fifo(&agent.join("fifo\u{1b}[2J"));
    let walked = root.dir("agent").unwrap().walk(&mut budget()).unwrap();
    let files: Vec<_> = walked.files.iter().map(|file| file.path.rsplit('/').next().unwrap()).collect();
    assert_eq!((files, walked.files[0].executable), (vec!["run.sh"], true));
    assert_eq!(walked.skipped.len(), 3, "{:?}", walked.skipped);
    assert!(!walked.skipped.concat().contains('\u{1b}'), "{:?}", walked.skipped);
    for name in 0..50 {
        symlink("nowhere", agent.join(format!("link-{name}"))).unwrap();
    }
    let mut few = Budget::new(1000, 3, READ_TIME);
    assert_eq!(root.dir("agent").unwrap().walk(&mut few).unwrap_err().trouble, Trouble::TooMuch);
}

#[test]
fn tru_06_nothing_is_written_through_a_link_or_over_a_file() {
    let (world, root, _) = world();
    let agent = world.path().join("volume/agent");
    symlink("../../host/token", agent.join("file")).unwrap();
    symlink("../../host/planted", agent.join("dangling")).unwrap();
    symlink("../../host", agent.join("directory")).unwrap();
    fs::write(agent.join("mine"), "before").unwrap();
    for (path, trouble) in [
        ("agent/file", Trouble::Exists),
        ("agent/dangling", Trouble::Exists),
        ("agent/mine", Trouble::Exists),
        ("agent/directory/x", Trouble::Link),
    ] {
        assert_eq!(root.write_new(path, b"x", MODE).unwrap_err().trouble, trouble, "{path}");
    }
    assert_eq!(root.make_dir("agent/directory", MODE).unwrap_err().trouble, Trouble::Exists);
    assert_eq!(root.dir_or_make("agent/directory/deep", MODE).unwrap_err().trouble, Trouble::Link);
    assert_eq!(root.dir_or_make("agent/../..", MODE).unwrap_err().trouble, Trouble::Outside);
    assert_eq!(fs::read(world.path().join("host/token")).unwrap(), b"s3cret");
    assert_eq!(fs::read_dir(world.path().join("host")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(&agent).unwrap().count(), 4, "nothing temporary stays");

    let below = root.dir_or_make("agent/a/b", Access::mode(0o750)).unwrap();
    below.write_new("c", b"x", Access::mode(0o640)).unwrap();
    let mode = |path: &str| fs::metadata(agent.join(path)).unwrap().mode() & 0o7777;
    assert_eq!([mode("a"), mode("a/b"), mode("a/b/c")], [0o750, 0o750, 0o640]);
}

#[test]
fn tru_07_removing_does_not_follow_a_link_on_the_way_in_its_place_or_below() {
    let (world, root, _) = world();
    fs::create_dir(world.path().join("host/node_modules")).unwrap();
    let agent = world.path().join("volume/agent");
    symlink("../../host", agent.join("runs")).unwrap();
    assert_eq!(root.remove_tree("agent/runs/node_modules").unwrap_err().trouble, Trouble::Link);
    fs::create_dir_all(agent.join("job/deep")).unwrap();
    symlink("../../../../host", agent.join("job/deep/link")).unwrap();
    root.remove_tree("agent/job").unwrap();
    root.remove_tree("agent/job").unwrap();
    root.remove_tree("agent/never/was").unwrap();
    root.remove_tree("agent/runs").unwrap();
    assert_eq!(fs::read_dir(&agent).unwrap().count(), 0);
    assert_eq!(fs::read_dir(world.path().join("host")).unwrap().count(), 2);
}

#[test]
fn tru_07_removing_ends_at_another_file_system() {
    // `/proc` is one everywhere, and nothing in it is lost if this fails.
    let slash = Root::open(Path::new("/"), &Shared::default()).unwrap();
    if cfg!(target_os = "linux") {
        assert_eq!(slash.remove_tree("proc").unwrap_err().trouble, Trouble::OtherFileSystem);
    }
}

#[test]
fn tru_07_a_directory_is_private_only_with_the_servers_uid_and_mode_0700() {
    let (world, root, _) = world();
    let private = root.make_dir("private", MODE).unwrap();
    private.check_private().unwrap();
    for mode in [0o750, 0o701, 0o1700, 0o500] {
        fs::set_permissions(world.path().join("volume/private"), fs::Permissions::from_mode(mode)).unwrap();
        let refused = private.check_private().unwrap_err();
        assert!(matches!(refused.trouble, Trouble::NotPrivate { mode: found, .. } if found == mode), "{refused}");
    }
}

#[test]
fn a_copy_takes_files_and_directories_and_follows_nothing() {
    let (world, root, shared) = world();
    let agent = world.path().join("volume/agent");
    fs::create_dir(agent.join("deep")).unwrap();
    fs::write(agent.join("deep/file"), vec![7; 600 * 1024]).unwrap();
    symlink("../../host/token", agent.join("link")).unwrap();
    fifo(&agent.join("fifo"));
    let target = Root::open(&world.path().join("host"), &shared).unwrap();
    let copied = root.copy_to("agent", &target, "copy", &mut budget(), None).unwrap();
    assert_eq!((copied.files, copied.bytes, copied.skipped), (1, 600 * 1024, 2));
    assert_eq!(fs::read(world.path().join("host/copy/deep/file")).unwrap(), vec![7; 600 * 1024]);
    let again = root.copy_to("agent/deep/file", &target, "copy/deep/file", &mut budget(), None).unwrap_err();
    assert_eq!(again.trouble, Trouble::Exists);
    assert_eq!(root.copy_to("agent/link", &target, "l", &mut budget(), None).unwrap_err().trouble, Trouble::Link);
}

#[test]
fn the_way_to_a_file_names_every_directory_and_link_on_it() {
    let (world, _, shared) = world();
    symlink("host", world.path().join("link")).unwrap();
    let found = find(&world.path().join("link/token"), &shared).unwrap();
    let base = fs::canonicalize(world.path()).unwrap();
    let last: Vec<_> = found.steps.iter().rev().take(3).map(|step| (step.path.clone(), step.kind)).collect();
    let expected = [("host/token", Kind::File), ("host", Kind::Directory), ("link", Kind::Link)];
    assert_eq!(last, expected.map(|(path, kind)| (base.join(path), kind)));
    assert_eq!(found.steps[0].path, Path::new("/"));
    assert!(!found.is_shared);
    assert!(find(&world.path().join("volume/agent"), &shared).unwrap().is_shared);
}

#[tokio::test]
async fn tru_04_a_file_system_that_hangs_does_not_hold_the_run() {
    let limit = Duration::from_millis(50);
    let (release, hang) = std::sync::mpsc::channel::<()>();
    let waited = blocking(Path::new("/x"), limit, move || Ok(hang.recv().is_err())).await;
    assert_eq!(waited.unwrap_err().trouble, Trouble::TooSlow(limit));
    drop(release);
}
