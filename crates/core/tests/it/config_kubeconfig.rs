//! A kubeconfig given as content is data: nothing of it acts on the server.

use claude_k8s_core::config::{Config, KubeconfigSource};
use claude_k8s_core::failure::Refusal;
use serde_json::{Value, json};

const SECRET: &str = "hush-0123456789";

fn document() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": "c",
        "contexts": [{ "name": "c", "context": { "cluster": "k", "user": "u", "namespace": "team" } }],
        "clusters": [
            { "name": "k", "cluster": { "server": "https://k8s:6443", "certificate-authority-data": SECRET } },
            { "name": "other", "cluster": { "server": "https://other" } },
        ],
        "users": [{ "name": "u", "user": { "token": SECRET } }, { "name": "other", "user": { "token": SECRET } }],
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut document = document();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(member.to_owned(), value);
    document
}

/// The refusal of content under both keys; the same text, each naming its key.
fn refusal(content: &str) -> String {
    let refused = |key: &str| {
        let config = json!({ key: content });
        let refusal = Refusal::from(Config::parse(config.as_object().unwrap()).unwrap_err());
        let keys = refusal.meta.unwrap()["keys"].clone();
        assert!(keys.as_array().unwrap().iter().all(|named| named == key), "{keys}");
        assert!(!refusal.message.contains(SECRET), "{}", refusal.message);
        refusal.message.replace(key, "KEY")
    };
    let text = refused("kubeconfigData");
    let rest = |text: &str| text.split_once("KEY").map(|(_, rest)| rest.to_owned());
    assert_eq!(rest(&refused("kubeconfig")).is_some(), rest(&text).is_some());
    text
}

fn parsed(document: &Value) -> claude_k8s_core::config::InlineKubeconfig {
    let config = json!({ "kubeconfigData": document.to_string() });
    match Config::parse(config.as_object().unwrap()).unwrap().kubeconfig {
        Some(KubeconfigSource::Inline(inline)) => inline,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tru_01_what_would_act_on_the_server_is_refused_wherever_it_stands() {
    let exec = json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", SECRET] });
    let cases = [
        ("user", "exec", exec, "would run a program on the Paperclip server"),
        ("user", "auth-provider", json!({ "name": "gcp", "config": { "cmd-path": SECRET } }), "would run a program"),
        ("user", "tokenFile", json!(SECRET), "give its content in `token`"),
        ("user", "client-certificate", json!(SECRET), "give its content in `client-certificate-data`"),
        ("user", "client-key", json!(SECRET), "give its content in `client-key-data`"),
        ("cluster", "certificate-authority", json!(SECRET), "give its content in `certificate-authority-data`"),
        ("user", "token-helper", json!(SECRET), "is not known"),
        ("cluster", "credential-file", json!(SECRET), "is not known"),
        ("user", SECRET, json!("x"), "a member of"),
    ];
    for (kind, member, value, expected) in cases {
        for entry in 0..2 {
            // Also in entries that the current context does not name: a document says what it is for.
            let path = format!("{kind}s[{entry}].{kind}");
            let text = refusal(&with(&format!("/{kind}s/{entry}/{kind}/{member}"), value.clone()).to_string());
            assert!(text.contains(expected) && text.contains(&path), "{text}");
            assert!(member == SECRET || text.contains(&format!("{path}.{member}")), "{text}");
            assert!(text.contains("a file that only the operator can write"), "{text}");
        }
    }
}

#[test]
fn tru_01_no_spelling_of_a_document_hides_a_member() {
    let head = "apiVersion: v1\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: 'https://k'}}]\n";
    for users in [
        "users: [{name: u, user: {\"ex\\u0065c\": {command: sh}}}]",
        "x: &it {exec: {command: sh}}\nusers: [{name: u, user: *it}]",
        "x: &it {exec: {command: sh}}\nusers: [{name: u, user: {<<: *it}}]",
        "users: [{name: u, user: {token: a}}]\nusers: [{name: u, user: {exec: {command: sh}}}]",
        "users: [{name: u, user: {token: a, token: b, exec: {command: sh}}}]",
        "users: [{name: u, user: {token: a}}]\n---\nusers: [{name: u, user: {exec: {command: sh}}}]",
        "users: [{name: u, user: {? exec : {command: sh}}}]",
        "users: {u: {exec: {command: sh}}}",
    ] {
        let text = refusal(&format!("{head}{users}\n"));
        assert!(text.starts_with("Invalid adapter configuration: KEY"), "{text}");
    }
}

#[test]
fn tru_01_data_arrives_as_it_was_given_and_nothing_else_does() {
    let mut document = with("/users/0/user/as-groups", json!(["a"]));
    document["clusters"][0]["cluster"]["extensions"] = json!([{ "name": "minikube", "extension": { "x": 1 } }]);
    document["users"][0]["exec"] = json!({ "command": "sh" });
    let inline = parsed(&document);
    assert_eq!(Value::from(inline.user.clone()), json!({ "token": SECRET, "as-groups": ["a"] }));
    assert_eq!(
        Value::from(inline.cluster.clone()),
        json!({ "server": "https://k8s:6443", "certificate-authority-data": SECRET })
    );
    assert_eq!(inline.namespace.as_deref(), Some("team"));
    assert!(!format!("{inline:?}").contains(SECRET));
}

#[test]
fn fld_31_whatever_is_wrong_with_content_names_its_key() {
    let long = "x".repeat((1 << 20) + 1);
    for (content, expected) in [
        ("{".to_owned(), "not valid JSON or YAML"),
        ("[1]\n".to_owned(), "is not the content of a kubeconfig"),
        (format!("apiVersion: {long}"), "bytes"),
        ("{}".to_owned(), "`current-context` is missing"),
        (with("/current-context", json!("other")).to_string(), "`contexts` has no entry"),
        (with("/contexts/0/context/cluster", json!("none")).to_string(), "`clusters` has no entry"),
        (with("/contexts/0/context/user", json!("none")).to_string(), "`users` has no entry"),
        (with("/contexts/0/context/namespace", json!("../x")).to_string(), "is not a DNS label"),
        (with("/clusters/0/cluster/server", json!("ftp://k8s")).to_string(), "not an http or https URL"),
        (with("/users/0/user/client-key-data", json!(SECRET)).to_string(), "without `client-certificate-data`"),
        (with("/users/0/user/token", json!(5)).to_string(), "`users[0].user.token` has to be a text"),
        (with("/clusters", json!(5)).to_string(), "`clusters` has to be a list"),
    ] {
        let text = refusal(&content);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn tru_01_a_server_that_is_not_verified_is_a_warning() {
    let document = with("/clusters/0/cluster/insecure-skip-tls-verify", json!(true));
    let config = json!({ "kubeconfigData": document.to_string() });
    let warnings = Config::parse(config.as_object().unwrap()).unwrap().warnings;
    assert!(warnings[0].text.contains("insecure-skip-tls-verify"), "{warnings:?}");
}
