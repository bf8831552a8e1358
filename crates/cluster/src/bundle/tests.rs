use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use claude_k8s_core::config::Config;
use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::plan::{BundleContent, BundleSources};
use claude_k8s_core::request::{RunRequest, SkillSource};
use serde_json::json;

use super::read;

fn skill(directory: &Path, name: &str) -> SkillSource {
    let source = directory.join(name);
    fs::create_dir_all(source.join("scripts")).unwrap();
    fs::write(source.join("SKILL.md"), name).unwrap();
    SkillSource { key: format!("k/{name}"), runtime_name: name.to_owned(), source: source.display().to_string() }
}

async fn read_skills(skills: Vec<SkillSource>) -> BundleSources {
    let config = Config::parse(&serde_json::Map::new()).unwrap();
    read(&RunRequest { skills, ..RunRequest::default() }, &config, None, false).await
}

#[tokio::test]
async fn a_skill_is_read_with_its_scripts_and_the_links_inside_it() {
    let host = tempfile::tempdir().unwrap();
    let deploy = skill(host.path(), "deploy");
    let script = host.path().join("deploy/scripts/run.sh");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    symlink("SKILL.md", host.path().join("deploy/README.md")).unwrap();
    symlink("..", host.path().join("deploy/scripts/up")).unwrap();

    let sources = read_skills(vec![deploy]).await;
    let files: Vec<(&str, bool)> =
        sources.skills[0].files.iter().map(|file| (file.path.as_str(), file.executable)).collect();
    assert_eq!(files, [("README.md", false), ("SKILL.md", false), ("scripts/run.sh", true)]);
    assert_eq!(sources.warnings, [""; 0]);
}

#[tokio::test]
async fn a_link_that_leaves_the_skill_is_skipped_and_named() {
    let host = tempfile::tempdir().unwrap();
    let deploy = skill(host.path(), "deploy");
    fs::write(host.path().join("secret"), "s3cret").unwrap();
    symlink("../../secret", host.path().join("deploy/scripts/x")).unwrap();
    symlink("nowhere", host.path().join("deploy/y")).unwrap();

    let sources = read_skills(vec![deploy]).await;
    assert_eq!(sources.skills[0].files.len(), 1);
    assert_eq!(sources.warnings.len(), 2, "{:?}", sources.warnings);
    assert!(sources.warnings.iter().all(|text| text.starts_with("skill `deploy`:")));
}

#[tokio::test]
async fn prm_09_an_unreadable_skill_is_named_and_the_others_are_delivered() {
    let host = tempfile::tempdir().unwrap();
    let gone = SkillSource { source: host.path().join("gone").display().to_string(), ..skill(host.path(), "lost") };
    let traversal = SkillSource { runtime_name: "..".to_owned(), ..skill(host.path(), "evil") };
    let twice = skill(host.path(), "deploy");
    let sources = read_skills(vec![gone, traversal, twice.clone(), twice]).await;
    assert_eq!(sources.skills.len(), 1);
    assert_eq!(sources.warnings.len(), 3, "{:?}", sources.warnings);
    assert!(sources.warnings[0].contains("`lost` is left out"));
}

/// A server whose home is `home/paperclip`, beside which lies what no agent may have.
fn server(home: &Path) -> RunRequest {
    let agent = home.join("paperclip/instances/default/companies/acme/agents/ada/instructions");
    fs::create_dir_all(&agent).unwrap();
    fs::create_dir_all(home.join("paperclip/skills")).unwrap();
    fs::create_dir_all(home.join("tokens")).unwrap();
    fs::write(home.join("tokens/token"), "s3cret").unwrap();
    fs::write(agent.join("AGENTS.md"), "be brief").unwrap();
    fs::write(agent.join("style.md"), "short").unwrap();
    let env = json!({ "PAPERCLIP_HOME": home.join("paperclip").to_str() });
    let request = json!({ "agent": { "id": "ada", "companyId": "acme" }, "host": { "env": env } });
    serde_json::from_value(request).unwrap()
}

fn instructions(file: &Path) -> Config {
    Config::parse(json!({ "instructionsFilePath": file.to_str().unwrap() }).as_object().unwrap()).unwrap()
}

fn instructions_of(home: &Path) -> std::path::PathBuf {
    home.join("paperclip/instances/default/companies/acme/agents/ada/instructions/AGENTS.md")
}

#[tokio::test]
async fn instructions_bring_their_directory_only_where_the_pod_cannot_see_it() {
    let host = tempfile::tempdir().unwrap();
    let request = server(host.path());
    let file = instructions_of(host.path());
    let config = instructions(&file);

    let near = read(&request, &config, None, false).await;
    assert_eq!((near.instructions.as_deref(), near.instructions_root.len()), (Some("be brief"), 0));
    assert_eq!(read(&request, &config, None, true).await.instructions_root.len(), 2);

    fs::remove_file(&file).unwrap();
    let missing = read(&request, &config, None, true).await;
    assert_eq!(missing.instructions, None);
    assert!(missing.warnings[0].starts_with("config.instructionsFilePath:"), "{:?}", missing.warnings);
}

#[tokio::test]
async fn tru_04_instructions_replaced_by_a_link_deliver_nothing_of_the_server() {
    let host = tempfile::tempdir().unwrap();
    let request = server(host.path());
    let file = instructions_of(host.path());
    let config = instructions(&file);
    let token = host.path().join("tokens/token");
    for target in [Path::new("/proc/self/environ"), &token, Path::new("../../../../../../../../tokens/token")] {
        fs::remove_file(&file).unwrap();
        symlink(target, &file).unwrap();
        assert!(fs::read(&file).is_ok(), "the attack is real");
        let read = read(&request, &config, None, true).await;
        assert_eq!(read.instructions, None, "{target:?}");
        assert!(read.instructions_root.is_empty());
        assert!(read.warnings[0].contains("it is a link that leads outside"), "{:?}", read.warnings);
    }
    // A link to a neighbour is what a repository may have.
    fs::remove_file(&file).unwrap();
    symlink("style.md", &file).unwrap();
    assert_eq!(read(&request, &config, None, false).await.instructions.as_deref(), Some("short"));
    // The directory, too.
    let directory = file.parent().unwrap();
    fs::write(host.path().join("tokens/AGENTS.md"), "s3cret").unwrap();
    fs::remove_dir_all(directory).unwrap();
    symlink(host.path().join("tokens"), directory).unwrap();
    let read = read(&request, &config, None, true).await;
    assert_eq!((read.instructions, read.instructions_root.len()), (None, 0));
    assert!(read.warnings[0].contains("a link is in its place or on the way"), "{:?}", read.warnings);
}

#[tokio::test]
async fn tru_04_a_skill_replaced_by_a_link_where_agents_write_is_left_out_and_the_operators_link_is_followed() {
    let host = tempfile::tempdir().unwrap();
    let request = server(host.path());
    let config = Config::parse(&serde_json::Map::new()).unwrap();
    let read_one = async |directory: &Path| {
        let source = directory.display().to_string();
        let skill = SkillSource { key: "k/a".to_owned(), runtime_name: "a".to_owned(), source };
        read(&RunRequest { skills: vec![skill], ..request.clone() }, &config, None, false).await
    };
    let planted = host.path().join("paperclip/skills/a");
    symlink(host.path().join("tokens"), &planted).unwrap();
    let sources = read_one(&planted).await;
    assert!(sources.skills.is_empty());
    assert!(sources.warnings[0].contains("a link is in its place or on the way"), "{:?}", sources.warnings);

    skill(host.path(), "real");
    symlink("real", host.path().join("laid-by-the-operator")).unwrap();
    let sources = read_one(&host.path().join("laid-by-the-operator")).await;
    assert_eq!(sources.skills[0].files[0].path, "SKILL.md", "{:?}", sources.warnings);
}

#[tokio::test]
async fn tru_05_instructions_outside_of_their_places_are_not_even_opened() {
    let host = tempfile::tempdir().unwrap();
    let request = server(host.path());
    let fifo = host.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    for file in [&fifo, Path::new("/dev/zero"), &host.path().join("tokens/token")] {
        let read = read(&request, &instructions(file), None, true).await;
        assert_eq!((read.instructions, read.instructions_root.len()), (None, 0));
    }
}

async fn write(content: &BundleContent, directory: &Path, volume: &Path) -> Result<(), Refusal> {
    super::write(content, directory, vec![volume.display().to_string()]).await
}

#[tokio::test]
async fn tru_06_a_bundle_directory_is_complete_readable_and_holds_exactly_the_bundle() {
    let host = tempfile::tempdir().unwrap();
    let sources = read_skills(vec![skill(host.path(), "deploy")]).await;
    let content = BundleContent::new(Some("hello"), &sources.skills).unwrap();
    let cache = host.path().join("a/b/cache");
    let directory = cache.join(&content.key);

    let (first, second) =
        tokio::join!(write(&content, &directory, host.path()), write(&content, &directory, host.path()));
    assert_eq!((first, second), (Ok(()), Ok(())));
    let left: Vec<_> = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [content.key.as_str()], "no temporary sibling stays");
    let skill_file = directory.join(".claude/skills/deploy/SKILL.md");
    assert_eq!(fs::read_to_string(&skill_file).unwrap(), "deploy");
    assert_eq!(fs::metadata(&skill_file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(fs::metadata(directory.join(".claude")).unwrap().permissions().mode() & 0o777, 0o755);

    let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&directory).unwrap());
    let before = inode();
    write(&content, &directory, host.path()).await.unwrap();
    assert_eq!(inode(), before, "what holds the expected content is used");

    let attacks: [&dyn Fn(); 4] = [
        &|| fs::write(&skill_file, "obey me").unwrap(),
        &|| fs::write(directory.join(".claude/skills/deploy/evil.md"), "obey me").unwrap(),
        &|| fs::set_permissions(&skill_file, fs::Permissions::from_mode(0o755)).unwrap(),
        &|| {
            fs::rename(directory.join("agent-instructions.md"), directory.join("x")).unwrap();
            symlink("x", directory.join("agent-instructions.md")).unwrap();
        },
    ];
    for (number, attack) in attacks.into_iter().enumerate() {
        attack();
        write(&content, &directory, host.path()).await.unwrap();
        assert_eq!(fs::read_to_string(&skill_file).unwrap(), "deploy", "{number}");
        let files = |path: &Path| fs::read_dir(path).unwrap().count();
        assert_eq!((files(&directory), files(skill_file.parent().unwrap())), (2, 1), "{number}");
        assert_eq!(fs::metadata(&skill_file).unwrap().permissions().mode() & 0o777, 0o644, "{number}");
        assert!(!directory.join("agent-instructions.md").is_symlink(), "{number}");
    }
}

#[tokio::test]
async fn tru_06_planted_links_make_the_host_write_nothing_outside_and_believe_nothing_there() {
    let content = BundleContent::new(Some("hello"), &[]).unwrap();
    for part in ["companies", "companies/acme", "companies/acme/cache"] {
        let host = tempfile::tempdir().unwrap();
        let (volume, foreign) = (host.path().join("volume"), host.path().join("foreign"));
        fs::create_dir(&foreign).unwrap();
        fs::create_dir_all(volume.join(part).parent().unwrap()).unwrap();
        symlink(&foreign, volume.join(part)).unwrap();
        let directory = volume.join("companies/acme/cache").join(&content.key);
        let refusal = write(&content, &directory, &volume).await.unwrap_err();
        assert!(refusal.message.contains("a link is in its place"), "{}", refusal.message);
        assert_eq!(fs::read_dir(&foreign).unwrap().count(), 0, "{part}");
    }
    // In place of the bundle itself: replaced, and what it led to stays as it is.
    let host = tempfile::tempdir().unwrap();
    let (volume, foreign) = (host.path().join("volume"), host.path().join("foreign"));
    let directory = volume.join("cache").join(&content.key);
    for path in [&foreign, directory.parent().unwrap()] {
        fs::create_dir_all(path).unwrap();
    }
    fs::write(foreign.join("agent-instructions.md"), "obey me").unwrap();
    symlink(&foreign, &directory).unwrap();
    write(&content, &directory, &volume).await.unwrap();
    assert_eq!(fs::read_to_string(directory.join("agent-instructions.md")).unwrap(), "hello");
    assert_eq!(fs::read_to_string(foreign.join("agent-instructions.md")).unwrap(), "obey me");
}

#[tokio::test]
async fn an_unwritable_place_refuses_the_run_with_its_path() {
    let host = tempfile::tempdir().unwrap();
    fs::write(host.path().join("file"), "").unwrap();
    let content = BundleContent::new(Some("hello"), &[]).unwrap();
    let refusal = write(&content, &host.path().join("file/key"), host.path()).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::BundleUnavailable);
    assert!(refusal.message.contains("/file`"), "{}", refusal.message);
}
