//! Skills and instructions: both ways into the pod.

use claude_k8s_core::plan::{BundleFile, Delivery};
use serde_json::json;

use crate::plan_scenario::Scenario;

#[test]
fn tru_06_a_bundle_that_fits_travels_with_the_payload_although_the_pod_sees_the_volume() {
    for scenario in [Scenario::in_cluster(), Scenario::in_cluster().staged()] {
        let launch = scenario.bundle().config(json!({ "workspaceMountPath": "/work" })).launch();
        let bundle = launch.spec.bundle().unwrap();
        assert_eq!((&bundle.delivery, bundle.pod_path()), (&Delivery::Secrets, "/opt/paperclip/run/bundle"));
        let text = String::from_utf8(bundle.content.files[0].bytes.clone()).unwrap();
        assert_eq!(
            text,
            "Be brief.\n\nThese instructions are kept in `/work/agents/a`. Relative paths in them are relative to that directory.\n"
        );
    }
    let launch = Scenario::in_cluster().bundle().launch();
    assert!(launch.files().keys().any(|path| path == "bundle/agent-instructions.md"));
    let staged = Scenario::in_cluster().staged().bundle().launch();
    let (place, files) = staged.spec.staging(&staged.attempt).unwrap();
    assert_eq!(
        place.directory(),
        format!("/paperclip/.paperclip-claude-k8s/runs/{}", staged.attempt.job_name.as_str())
    );
    let scripts: Vec<&str> = files.iter().filter(|file| file.executable).map(|file| file.path.as_str()).collect();
    assert_eq!(scripts, ["bundle/.claude/skills/deploy/run.sh"]);
}

#[test]
fn tru_06_only_a_larger_one_lies_on_the_volume_in_a_directory_of_its_company_named_by_the_key() {
    for scenario in [Scenario::in_cluster(), Scenario::in_cluster().staged()] {
        let scenario = scenario.large_bundle().config(json!({ "workspaceMountPath": "/work" }));
        let launch = scenario.launch();
        let bundle = launch.spec.bundle().unwrap();
        let below = format!("/instances/default/companies/acme/claude-prompt-cache/{}", bundle.content.key);
        let expected =
            Delivery::Directory { host_path: format!("/paperclip{below}"), pod_path: format!("/work{below}") };
        assert_eq!(bundle.delivery, expected);
        assert!(launch.attempt.args.contains(&format!("/work{below}/agent-instructions.md")));
        let sent = launch.secrets.iter().flat_map(|secret| secret.data.as_ref().unwrap().values());
        assert!(sent.map(|bytes| bytes.0.len()).sum::<usize>() < 900_000);
    }
}

#[test]
fn elsewhere_the_bundle_travels_in_secrets_with_the_directory_of_the_instructions() {
    let mut scenario = Scenario::out_of_cluster().bundle().request(json!({ "skillLibrary": "## Library" }));
    let style = BundleFile { path: "docs/style.md".to_owned(), bytes: b"short".to_vec(), executable: false };
    scenario.surroundings.bundle.instructions_root = vec![style];
    let launch = scenario.launch();
    let files = launch.files();
    let paths: Vec<&str> = files.keys().filter_map(|path| path.strip_prefix("bundle/")).collect();
    assert_eq!(
        paths,
        [
            ".claude/skills/deploy/SKILL.md",
            ".claude/skills/deploy/run.sh",
            "agent-instructions.md",
            "instructions/docs/style.md"
        ]
    );
    let text = String::from_utf8(files["bundle/agent-instructions.md"].clone()).unwrap();
    assert!(text.contains("kept in `/opt/paperclip/run/bundle/instructions`"), "{text}");
    assert!(text.ends_with("## Library\n"), "{text}");
    let payload = launch.pod().volumes.as_ref().unwrap()[1].projected.as_ref().unwrap().sources.as_ref().unwrap();
    let items = payload.iter().flat_map(|source| source.secret.as_ref().unwrap().items.as_ref().unwrap());
    let modes: Vec<Option<i32>> = items.filter(|item| item.path.starts_with("bundle/")).map(|item| item.mode).collect();
    assert_eq!(modes, [None, None, Some(0o555), None], "scripts may be executed");
}

#[test]
fn an_instructions_directory_that_does_not_fit_stays_behind() {
    let mut scenario = Scenario::out_of_cluster().bundle();
    let large = |n: usize| BundleFile { path: n.to_string(), bytes: vec![0; 900_000], executable: false };
    scenario.surroundings.bundle.instructions_root = (0..5).map(large).collect();
    let launch = scenario.launch();
    assert!(!launch.files().keys().any(|path| path.starts_with("bundle/instructions/")));
    let text = String::from_utf8(launch.files()["bundle/agent-instructions.md"].clone()).unwrap();
    assert_eq!(text, "Be brief.\n", "a note about a directory that is not there would mislead");
}

#[test]
fn prm_09_skills_are_named_in_log_and_meta() {
    let spec = Scenario::in_cluster().bundle().spec();
    assert_eq!(spec.status_lines(), ["Skills bundled (1): deploy"]);
    let meta = spec.meta(&spec.first_attempt());
    assert_eq!(meta["commandNotes"][3], "Skills (1): deploy");
    assert_eq!(Scenario::in_cluster().spec().status_lines(), ["Skills bundled (0): none"]);
}

#[test]
fn a_run_without_skills_and_instructions_has_no_bundle() {
    let launch = Scenario::in_cluster().launch();
    assert_eq!(launch.spec.bundle(), None);
    assert!(!launch.attempt.args.iter().any(|arg| arg == "--add-dir" || arg == "--append-system-prompt-file"));
}
