//! PRM-03, PRM-04, PRM-05: what may stand in the Job, what a Secret is, how large a string may be.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::plan_scenario::Scenario;

/// Twenty values nobody who may read Jobs should see.
fn planted() -> (Scenario, Vec<String>) {
    let value = |n: usize| format!("planted-secret-{n:02}-");
    let own = json!([
        { "name": "ANTHROPIC_API_KEY", "value": value(0) },
        { "name": "GH_TOKEN", "value": value(1) },
        { "name": "my_Secret", "value": value(2) },
        { "name": "DB_PASSWORD", "value": value(3) },
        { "name": "Db_Passwd", "value": value(4) },
        { "name": "HTTP_AUTHORIZATION", "value": value(5) },
        { "name": "SESSION_COOKIE", "value": value(6) },
        { "name": "AWS_CREDENTIAL_PROCESS", "value": value(7) },
        { "name": "PAPERCLIP_AGENT_JWT_SECRET", "value": value(8) },
        { "name": "DATABASE_URL", "value": value(9) },
    ]);
    let env: serde_json::Map<String, Value> = (10..14).map(|n| (format!("PLAIN_{n}"), value(n).into())).collect();
    let scenario = Scenario::in_cluster()
        .everything()
        .own_env(&own)
        .config(json!({
            "env": env,
            "mcpServers": { "mine": { "type": "http", "url": "http://m", "headers": { "Authorization": value(14) } } },
        }))
        .request(json!({
            "authToken": value(15),
            "mcpServers": [{ "name": "host", "url": "http://h", "token": value(16), "connectionId": "c" }],
            "prompts": { "fresh": { "text": format!("do {}", value(17)) } },
            "wakePayloadJson": format!("{{\"comment\":\"{}\"}}", value(18)),
            "skillLibrary": value(19),
        }));
    (scenario, (0..20).map(value).collect())
}

#[test]
fn prm_04_the_job_contains_none_of_20_planted_secrets() {
    let (mut scenario, secrets) = planted();
    for staged in [false, true] {
        if staged {
            scenario = scenario.staged();
        }
        let job = serde_json::to_string(&scenario.launch().job).unwrap();
        for secret in &secrets {
            assert!(!job.contains(secret), "{secret}");
        }
    }
}

#[test]
fn prm_04_what_the_pod_needs_is_in_the_payload() {
    let (scenario, secrets) = planted();
    let launch = scenario.launch();
    let data = launch.secrets.iter().flat_map(|secret| secret.data.as_ref().unwrap().values());
    let data: Vec<String> = data.map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned()).collect();
    for (index, secret) in secrets.iter().enumerate() {
        let travels = !matches!(index, 8 | 9); // server-only names
        assert_eq!(data.iter().any(|text| text.contains(secret)), travels, "{secret}");
    }
}

#[test]
fn prm_05_secrets_are_immutable_and_owned_by_the_job() {
    let launch = Scenario::in_cluster().launch();
    let name = launch.attempt.job_name.as_str();
    let names: Vec<&str> = launch.secrets.iter().filter_map(|secret| secret.metadata.name.as_deref()).collect();
    assert_eq!(names, [format!("{name}-run")]);
    assert_eq!(launch.spec.secret_names(&launch.attempt), names);
    for secret in &launch.secrets {
        let owner = &secret.metadata.owner_references.as_ref().unwrap()[0];
        assert_eq!((owner.kind.as_str(), owner.name.as_str(), owner.uid.as_str()), ("Job", name, "job-uid"));
        assert_eq!((owner.controller, owner.block_owner_deletion), (Some(false), Some(false)));
        assert_eq!(secret.immutable, Some(true));
        assert_eq!(secret.metadata.labels, launch.job.metadata.labels);
        assert_eq!(secret.metadata.namespace.as_deref(), Some("paperclip"));
    }
}

#[test]
fn a_large_prompt_travels_in_parts_that_join_to_the_same_bytes() {
    let text = "é".repeat(600_000); // 1.2 MB; the first part ends inside a character
    let launch = Scenario::in_cluster().request(json!({ "prompts": { "fresh": { "text": text } } })).launch();
    let files = launch.files();
    let joined: Vec<u8> = [&files["prompt/000"][..], &files["prompt/001"][..]].concat();
    assert_eq!(joined, text.as_bytes());
    let parts = "cat /opt/paperclip/run/prompt/000 /opt/paperclip/run/prompt/001 >/opt/paperclip/scratch/prompt\n";
    assert!(launch.script().contains(parts), "{}", launch.script());
    assert!(launch.script().contains("\nexec claude \"$@\" </opt/paperclip/scratch/prompt\n"));
}

#[test]
fn values_beyond_one_secret_continue_in_the_next() {
    let env: serde_json::Map<String, Value> = (0..10).map(|n| (format!("V{n}"), "x".repeat(120_000).into())).collect();
    let launch = Scenario::in_cluster().config(json!({ "env": env })).launch();
    let name = launch.attempt.job_name.as_str();
    let names: Vec<&str> = launch.secrets.iter().filter_map(|secret| secret.metadata.name.as_deref()).collect();
    assert_eq!(names[1..], [format!("{name}-run"), format!("{name}-run-1")]);
    for index in 0..10 {
        assert_eq!(launch.value(&format!("V{index}")).unwrap().len(), 120_000);
    }
    for secret in &launch.secrets {
        let size: usize = secret.data.as_ref().unwrap().values().map(|bytes| bytes.0.len()).sum();
        assert!(size <= 1_000_000, "{size}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn prm_03_no_string_of_the_container_exceeds_the_kernels_limit(
        wake in 0usize..400_000,
        issues in 0usize..8_000,
        services in 0usize..4_000,
        prompt in 1usize..3_000_000,
        configured in 0usize..130_000,
    ) {
        let ids: Vec<String> = (0..issues).map(|n| format!("issue-{n:030}")).collect();
        let list: Vec<Value> = (0..services).map(|n| json!({ "name": format!("service-{n}") })).collect();
        let launch = Scenario::in_cluster()
            .config(json!({ "env": { "MINE": "v".repeat(configured) } }))
            .request(json!({
                "wakePayloadJson": "w".repeat(wake),
                "context": { "issueIds": ids, "paperclipRuntimeServices": list },
                "prompts": { "fresh": { "text": "p".repeat(prompt) } },
            }))
            .launch();
        for entry in launch.env() {
            let value = launch.value(&entry.name).unwrap_or_default();
            prop_assert!(entry.name.len() + 1 + value.len() <= 131_071, "{} {}", entry.name, value.len());
        }
        let command = launch.claude().command.iter().flatten().chain(launch.claude().args.iter().flatten());
        for text in command {
            prop_assert!(text.len() <= 131_071);
        }
        for secret in &launch.secrets {
            let size: usize = secret.data.as_ref().unwrap().values().map(|bytes| bytes.0.len()).sum();
            prop_assert!(size <= 1_048_576, "{size}");
        }
    }
}

#[test]
fn a_payload_larger_than_one_secret_keeps_its_kinds_apart() {
    let names = |size: usize| {
        let launch =
            Scenario::in_cluster().request(json!({ "prompts": { "fresh": { "text": "x".repeat(size) } } })).launch();
        let sizes =
            launch.secrets.iter().map(|secret| secret.data.iter().flatten().map(|(_, data)| data.0.len()).sum());
        assert!(sizes.max().is_some_and(|most: usize| most <= 921_600));
        let job = launch.attempt.job_name.to_string();
        let names = launch.secrets.iter().filter_map(|secret| secret.metadata.name.as_deref());
        names.map(|name| name.replace(&job, "")).collect::<Vec<_>>()
    };
    assert_eq!(names(900_000), ["-run"]);
    assert_eq!(names(921_600), ["-prompt-0", "-run"]);
    assert_eq!(names(921_601), ["-prompt-0", "-prompt-1", "-run"]);
}
