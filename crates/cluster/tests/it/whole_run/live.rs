//! What a person who looks at the task sees while the agent works.

use claude_k8s_cluster::host::Notice;
use serde_json::json;

use super::claude::{Ends, begins, says};
use super::heard::Heard;
use super::world::{TOKEN, World, assert_success, seconds};

fn calls(id: &str, command: &str) -> String {
    let block = json!({ "type": "tool_use", "id": id, "name": "Bash", "input": { "command": command } });
    json!({ "type": "assistant", "message": { "content": [block] } }).to_string()
}

fn returns(id: &str) -> String {
    let block = json!({ "type": "tool_result", "tool_use_id": id, "content": "ok" });
    json!({ "type": "user", "message": { "content": [block] } }).to_string()
}

/// Messages, tools and snippets of the working agent, in order.
fn told(heard: &Heard) -> Vec<(String, Option<String>, Option<String>)> {
    let live = |notice: Notice| match notice {
        Notice::Progress { message, live: Some(live), .. } => {
            Some((message, live.current_tool_name, live.last_assistant_snippet))
        }
        _ => None,
    };
    heard.notices().into_iter().filter_map(live).collect()
}

#[tokio::test(start_paused = true)]
async fn hos_01_a_person_sees_which_tool_runs_and_for_how_long_and_what_was_said() {
    let script = begins().wait(seconds(6)).print(calls("a", "npm test")).wait(seconds(41)).print(returns("a"));
    let world = World::new(script.print(says("All green.")).wait(seconds(6)).ends());
    let call = world.call();
    assert_success(&call.run().await, &call.heard);
    let told = told(&call.heard);
    let messages: Vec<_> = told.iter().map(|(message, ..)| message.as_str()).collect();
    assert_eq!(
        messages,
        ["Writing: hello", "Bash: npm test", "Bash: npm test (15 s)", "Bash: npm test (30 s)", "Writing: All green."]
    );
    assert_eq!(told[1].1.as_deref(), Some("Bash"));
    assert_eq!(told[1].2.as_deref(), Some("hello"));
}

#[tokio::test(start_paused = true)]
async fn hos_01_what_is_shown_live_holds_no_secret() {
    let world = World::new(begins().wait(seconds(6)).print(calls("a", TOKEN)).wait(seconds(6)).ends());
    let call = world.call();
    assert_success(&call.run().await, &call.heard);
    let told = format!("{:?}", told(&call.heard));
    assert!(told.contains("Bash: ***REDACTED***") && !told.contains(TOKEN), "{told}");
}

#[tokio::test(start_paused = true)]
async fn hos_03_no_event_of_ours_counts_as_an_action_of_the_agent_and_the_node_stands_in_the_message() {
    let call = World::new(begins().wait(seconds(1)).ends()).call();
    assert_success(&call.run().await, &call.heard);
    let kinds = call.heard.of_events("/eventType");
    assert!(kinds.len() >= 3 && kinds.iter().all(|kind| kind == "lifecycle"), "{kinds:?}");
    let messages = call.heard.of_events("/message");
    assert!(messages.iter().any(|text| text.contains(" started on sim-node")), "{messages:?}");
}
