//! The MCP configuration file.

use serde_json::{Value, json};

use crate::plan_scenario::Scenario;

fn server(name: &str, url: &str, id: &str) -> Value {
    json!({ "name": name, "url": url, "token": "mcp-token", "connectionId": id })
}

fn with_servers(servers: &Value) -> Scenario {
    Scenario::in_cluster().request(json!({ "mcpServers": servers }))
}

#[test]
fn a_loopback_origin_becomes_the_hosts() {
    let launch = with_servers(&json!([server("tools", "http://127.0.0.1:3100/api/mcp?x=1", "c")])).launch();
    let expected = json!({ "mcpServers": { "tools": {
        "type": "http",
        "url": "http://paperclip.paperclip.svc:3100/api/mcp?x=1",
        "headers": { "Authorization": "Bearer mcp-token" },
    }}});
    assert_eq!(launch.json_file("mcp.json"), expected);
}

#[test]
fn an_origin_only_the_pod_knows_is_expanded_there_and_an_unknown_one_drops_the_server() {
    let reference =
        json!([{ "name": "PAPERCLIP_API_URL", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }]);
    let hidden = with_servers(&json!([server("tools", "http://localhost/mcp", "c")]))
        .host_env("PAPERCLIP_API_URL", "")
        .own_env(&reference)
        .launch();
    let url = hidden.json_file("mcp.json")["mcpServers"]["tools"]["url"].clone();
    assert_eq!(url, "${PAPERCLIP_API_URL}/mcp");

    let servers = json!([server("tools", "http://localhost/mcp", "c"), server("web", "https://web/mcp", "d")]);
    let absent = with_servers(&servers).host_env("PAPERCLIP_API_URL", "").launch();
    let names: Vec<String> = absent.json_file("mcp.json")["mcpServers"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["web"]);
    assert!(absent.spec.warnings().iter().any(|text| text.contains("MCP server `tools` is left out")));
}

#[test]
fn repeated_names_get_the_start_of_their_connection_then_a_counter() {
    let servers = json!([
        server("t", "http://a", "11111111-a"),
        server("t", "http://b", "22222222-b"),
        server("t", "http://c", "22222222-c"),
        server("t", "http://d", ""),
    ]);
    let launch = with_servers(&servers).launch();
    let file = launch.json_file("mcp.json");
    let names: Vec<&String> = file["mcpServers"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["t", "t-22222222", "t-22222222-2", "t-2"]);
}

#[test]
fn the_hosts_server_wins_over_a_configured_one_of_that_name() {
    let config = json!({ "mcpServers": { "tools": { "command": "mine" }, "files": { "command": "mcp-files" } } });
    let launch = with_servers(&json!([server("tools", "http://h/mcp", "c")])).config(config).launch();
    let file = launch.json_file("mcp.json");
    assert_eq!(file["mcpServers"]["tools"]["url"], "http://h/mcp");
    assert_eq!(file["mcpServers"]["files"], json!({ "command": "mcp-files" }));
    assert_eq!(launch.spec.warnings().len(), 1);
}

#[test]
fn ses_02_the_identity_knows_names_and_connections_and_neither_addresses_nor_tokens() {
    let identity = |url: &str, id: &str| {
        let spec = with_servers(&json!([server("b", url, id), server("a", "http://x", "1")])).spec();
        spec.session_facts(&spec.first_attempt()).stored.mcp_server_identity
    };
    let first = identity("http://one", "2").unwrap();
    assert_eq!(first, r#"[{"name":"a","connectionId":"1"},{"name":"b","connectionId":"2"}]"#);
    assert_eq!(identity("http://two", "2").unwrap(), first);
    assert_ne!(identity("http://one", "3").unwrap(), first);
}
