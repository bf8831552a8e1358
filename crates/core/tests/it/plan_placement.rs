//! CFG-10: what a Job inherits depends on where it runs; what is missing is said once.

use claude_k8s_core::target::Placement;
use serde_json::{Value, json};

use crate::plan_scenario::{Launch, Scenario};

type Has = fn(&Launch) -> bool;

/// A host pod that has everything.
fn rich() -> Scenario {
    let env = json!([
        { "name": "LITERAL", "value": "here" },
        { "name": "FROM_SECRET", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } },
        { "name": "FROM_POD", "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } },
    ]);
    Scenario::in_cluster()
        .everything()
        .own_env(&env)
        .own_at("/spec/containers/0/envFrom", json!([{ "secretRef": { "name": "host-env" } }]))
        .own_at("/spec/nodeSelector", json!({ "pool": "agents" }))
        .own_at("/spec/tolerations", json!([{ "key": "agents", "operator": "Exists" }]))
        .own_at("/spec/dnsPolicy", json!("None"))
        .own_at("/spec/dnsConfig", json!({ "nameservers": ["10.0.0.10"] }))
        .own_at("/spec/hostAliases", json!([{ "ip": "10.0.0.1", "hostnames": ["git"] }]))
        .own_at("/spec/imagePullSecrets", json!([{ "name": "registry" }]))
        .own_at("/spec/securityContext", json!({ "runAsUser": 1234, "runAsGroup": 0 }))
        .own_volume(
            json!({ "name": "certs", "secret": { "secretName": "certs" } }),
            &json!([{ "name": "certs", "mountPath": "/etc/certs" }]),
        )
}

#[test]
fn cfg_10_nothing_namespaced_leaves_its_namespace_and_no_scheduling_its_cluster() {
    use Placement::{Elsewhere, OtherNamespace, SameNamespace};
    // Columns: SameNamespace, OtherNamespace, Elsewhere.
    let placements = [SameNamespace, OtherNamespace, Elsewhere];
    let launches = placements.map(|placement| rich().place(placement).launch());
    let rows: [(&str, Has, [bool; 3]); 13] = [
        ("image", |l| l.claude().image.as_deref() == Some("registry.example/paperclip:1"), [true, true, true]),
        ("literal", |l| l.value("LITERAL").is_some(), [true, true, true]),
        ("valueFrom Secret", |l| l.env_entry("FROM_SECRET").is_some(), [true, false, false]),
        ("valueFrom pod field", |l| l.env_entry("FROM_POD").is_some(), [true, true, true]),
        ("envFrom", |l| l.claude().env_from.is_some(), [true, false, false]),
        ("nodeSelector", |l| l.pod().node_selector.is_some(), [true, true, false]),
        ("tolerations", |l| l.pod().tolerations.is_some(), [true, true, false]),
        ("dns", |l| l.pod().dns_config.is_some() && l.pod().dns_policy.is_some(), [true, true, false]),
        ("hostAliases", |l| l.pod().host_aliases.is_some(), [true, true, false]),
        ("imagePullSecrets", |l| l.pod().image_pull_secrets.is_some(), [true, false, false]),
        ("user id", |l| l.pod().security_context.as_ref().unwrap().run_as_user == Some(1234), [true, true, false]),
        (
            "data claim",
            |l| l.pod().volumes.as_ref().unwrap()[0].persistent_volume_claim.is_some(),
            [true, false, false],
        ),
        ("volumes", |l| l.pod().volumes.as_ref().unwrap().iter().any(|v| v.name == "inh-0"), [true, false, false]),
    ];
    for (what, has, expected) in rows {
        let found = [0, 1, 2].map(|index| has(&launches[index]));
        assert_eq!(found, expected, "{what}");
    }
    assert_eq!(launches[0].spec.warnings(), [""; 0]);
    for (launch, place) in launches[1..].iter().zip(["namespace", "cluster"]) {
        let warning = format!(
            "the Job runs in another {place} and does not inherit: environment FROM_SECRET; envFrom host-env; \
             imagePullSecrets registry; volumes certs; claim paperclip-data; set `env`, `workspaceVolumeClaim` or \
             `podTemplate` where it needs them"
        );
        assert_eq!(launch.spec.warnings(), [warning]);
    }
}

#[test]
fn the_claim_that_another_namespace_lacks_is_named_wherever_the_host_has_it() {
    let elsewhere = || {
        Scenario::in_cluster()
            .own_at("/spec/containers/0/volumeMounts/0/mountPath", json!("/srv/data"))
            .place(Placement::OtherNamespace)
    };
    let named = |scenario: Scenario| scenario.launch().spec.warnings().join("; ").contains("claim paperclip-data");
    assert!(named(elsewhere().host_env("PAPERCLIP_HOME", "/srv/data/paperclip")));
    assert!(!named(elsewhere()), "a mount that nothing points at");
}

#[test]
fn pod_07_explicit_values_replace_inherited_ones_even_when_empty() {
    let launch =
        rich().config(json!({ "nodeSelector": {}, "tolerations": [], "image": "mine:1", "runAsUser": 2000 })).launch();
    assert_eq!((launch.pod().node_selector.as_ref(), launch.pod().tolerations.as_ref()), (None, None));
    assert_eq!(launch.claude().image.as_deref(), Some("mine:1"));
    let security = launch.pod().security_context.as_ref().unwrap();
    assert_eq!(
        (security.run_as_user, security.run_as_group),
        (Some(2000), Some(1000)),
        "a root group is not inherited"
    );
}

#[test]
fn sessions_survive_elsewhere_only_on_a_configured_claim() {
    let elsewhere = Scenario::out_of_cluster().with_session();
    assert!(elsewhere.spec().first_attempt().resume.is_none());
    let claim = elsewhere.config(json!({ "workspaceVolumeClaim": "agents" }));
    assert!(claim.spec().first_attempt().resume.is_some());
}

#[test]
fn a_claim_of_that_name_in_another_namespace_is_not_the_hosts() {
    let scenario = Scenario::in_cluster()
        .place(Placement::OtherNamespace)
        .bundle()
        .config(json!({ "workspaceVolumeClaim": "paperclip-data", "cwd": "/paperclip/work" }));
    let launch = scenario.launch();
    assert!(launch.files().contains_key("bundle/agent-instructions.md"), "delivery in Secrets");
    assert_eq!(launch.spec.run_directory(), "/paperclip/work", "a configured path below the mount is the pod's");
}

#[test]
fn fld_22_unset_ids_are_those_of_the_server_process_unless_it_is_root() {
    let ids = |scenario: Scenario, user: i64, group: i64| {
        let launch = scenario.request(json!({ "host": { "userId": user, "groupId": group } })).launch();
        let security = launch.pod().security_context.as_ref().unwrap();
        (security.run_as_user, security.run_as_group)
    };
    let unset = || Scenario::in_cluster().own_at("/spec/securityContext", Value::Null);
    assert_eq!(ids(unset(), 1001, 1002), (Some(1001), Some(1002)), "an image with `USER 1001`");
    assert_eq!(ids(unset(), 0, 0), (Some(1000), Some(1000)), "root");
    assert_eq!(ids(unset().config(json!({ "runAsUser": 7 })), 1001, 1002), (Some(7), Some(1002)));
    let named =
        Scenario::in_cluster().own_at("/spec/securityContext", json!({ "runAsUser": 1234, "runAsGroup": 1235 }));
    assert_eq!(ids(named, 1001, 1002), (Some(1234), Some(1235)), "the pod's own word");
}
