use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use claude_k8s_core::config::Config;
use claude_k8s_core::failure::ErrorCode;
use claude_k8s_core::plan::{BundleContent, BundleSources};
use claude_k8s_core::request::{RunRequest, SkillSource};
use serde_json::json;

use super::{read, write};

fn skill(directory: &Path, name: &str) -> SkillSource {
    let source = directory.join(name);
    fs::create_dir_all(source.join("scripts")).unwrap();
    fs::write(source.join("SKILL.md"), name).unwrap();
    SkillSource { key: format!("k/{name}"), runtime_name: name.to_owned(), source: source.display().to_string() }
}

async fn read_skills(skills: Vec<SkillSource>) -> BundleSources {
    let config = Config::parse(&serde_json::Map::new()).unwrap();
    read(&RunRequest { skills, ..RunRequest::default() }, &config, false).await
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

#[tokio::test]
async fn instructions_bring_their_directory_only_where_the_pod_cannot_see_it() {
    let host = tempfile::tempdir().unwrap();
    let file = host.path().join("AGENTS.md");
    fs::write(&file, "be brief").unwrap();
    fs::write(host.path().join("style.md"), "short").unwrap();
    let config = json!({ "instructionsFilePath": file.to_str().unwrap() });
    let config = Config::parse(config.as_object().unwrap()).unwrap();
    let request = RunRequest::default();

    let near = read(&request, &config, false).await;
    assert_eq!((near.instructions.as_deref(), near.instructions_root.len()), (Some("be brief"), 0));
    assert_eq!(read(&request, &config, true).await.instructions_root.len(), 2);

    fs::remove_file(&file).unwrap();
    let missing = read(&request, &config, true).await;
    assert_eq!(missing.instructions, None);
    assert!(missing.warnings[0].starts_with("config.instructionsFilePath:"), "{:?}", missing.warnings);
}

#[tokio::test]
async fn a_bundle_directory_is_complete_readable_and_written_once() {
    let host = tempfile::tempdir().unwrap();
    let sources = read_skills(vec![skill(host.path(), "deploy")]).await;
    let content = BundleContent::new(Some("hello"), &sources.skills).unwrap();
    let cache = host.path().join("a/b/cache");
    let directory = cache.join(&content.key);

    let (first, second) = tokio::join!(write(&content, &directory), write(&content, &directory));
    assert_eq!((first, second), (Ok(()), Ok(())));
    let left: Vec<_> = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [content.key.as_str()], "no temporary sibling stays");
    let skill_file = directory.join(".claude/skills/deploy/SKILL.md");
    assert_eq!(fs::read_to_string(&skill_file).unwrap(), "deploy");
    assert_eq!(fs::metadata(&skill_file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(fs::metadata(directory.join(".claude")).unwrap().permissions().mode() & 0o777, 0o755);

    fs::write(&skill_file, "changed").unwrap();
    write(&content, &directory).await.unwrap();
    assert_eq!(fs::read_to_string(&skill_file).unwrap(), "changed", "an existing bundle is left alone");
}

#[tokio::test]
async fn an_unwritable_place_refuses_the_run_with_its_path() {
    let host = tempfile::tempdir().unwrap();
    fs::write(host.path().join("file"), "").unwrap();
    let content = BundleContent::new(Some("hello"), &[]).unwrap();
    let refusal = write(&content, &host.path().join("file/key")).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::BundleUnavailable);
    assert!(refusal.message.contains("file/key"), "{}", refusal.message);
}
