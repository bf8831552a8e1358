//! What a pod of this agent would see of the data volume, worded.

use serde_json::Value;

use super::{Check, Level};
use crate::config::Isolation;
use crate::plan::{IsolationReport, mounted_beside};

const SET: &str = "Set `isolation` to `agent`, or to `server` where agents share a login; see docs/security.md";

/// The level with what a pod sees, and an error for everything of the server's that it would see. `host_claim`: the claim
/// of the host's own pod, in the namespace of the Job.
#[must_use]
pub fn isolation(report: &IsolationReport, job: &Value, host_claim: Option<&str>) -> Vec<Check> {
    let mut checks = vec![level(report)];
    checks.extend(visible(report));
    checks.extend(claim_mounted(job, host_claim));
    if report.leaves_login {
        let text = "The common home holds a login of Claude Code, which a pod with `isolation` `agent` does not get";
        let hint = "Give the agent a token in `env`: `CLAUDE_CODE_OAUTH_TOKEN` (from `claude setup-token`) or `ANTHROPIC_API_KEY`";
        checks.push(Check::new("k8s_isolation_login", Level::Info, text).hint(hint));
    }
    checks
}

fn level(report: &IsolationReport) -> Check {
    let IsolationReport { level, least, claim, home, directories, server, .. } = report;
    let word = level.as_str();
    if *level == Isolation::None {
        let text = format!("Isolation `none`: a pod sees all of claim `{claim}`");
        return Check::new("k8s_isolation_none", Level::Warn, text).hint(SET);
    }
    let text = match (server, level) {
        (None, Isolation::Agent) => {
            format!("Isolation `{word}`: the home is a directory of the agent on claim `{claim}`")
        }
        (None, _) => format!("Isolation `{word}`: a pod sees claim `{claim}`, on which the host sees no server"),
        (Some(_), Isolation::Agent) => format!("Isolation `{word}`: a pod sees a home of its agent at `{home}`"),
        (Some(_), _) => {
            format!("Isolation `{word}`: a pod sees the common home at `{home}` without the server's parts")
        }
    };
    let check = Check::new("k8s_isolation", Level::Info, text);
    let detail = match server {
        None => "The host does not see this volume; nothing of a server is expected on it".to_owned(),
        Some(_) => format!("and these directories: {}", directories.join(", ")),
    };
    let least = least.map(|least| format!("; the operator of the server asks for at least `{}`", least.as_str()));
    check.detail(detail + &least.unwrap_or_default())
}

fn visible(report: &IsolationReport) -> Option<Check> {
    let parts = report.server.as_ref().filter(|parts| report.level == Isolation::None && !parts.is_empty())?;
    let text = "A pod would see what is the server's: its keys, database, logs and plug-ins";
    Some(Check::new("k8s_isolation_server_visible", Level::Error, text).detail(parts.join(", ")).hint(SET))
}

/// `podTemplate` can mount the host's claim once more, or the data volume into another container.
fn claim_mounted(job: &Value, host_claim: Option<&str>) -> Option<Check> {
    let beside = mounted_beside(job.pointer("/spec/template/spec")?, host_claim?);
    let text = format!("`podTemplate` mounts claim `{}` of the server beside what `isolation` gives", host_claim?);
    let check = Check::new("k8s_isolation_claim_mounted", Level::Error, text).detail(beside.join(", "));
    (!beside.is_empty())
        .then(|| check.hint("Mount another claim there: this one holds the server's key, database and plug-ins"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(level: Isolation, server: Option<&[&str]>) -> IsolationReport {
        IsolationReport {
            level,
            least: None,
            claim: "data".to_owned(),
            home: "/paperclip".to_owned(),
            directories: vec!["/paperclip/instances/default/workspaces/ada".to_owned()],
            server: server.map(|parts| parts.iter().map(|part| (*part).to_owned()).collect()),
            leaves_login: level == Isolation::Agent,
        }
    }

    fn codes(report: &IsolationReport, job: &Value) -> Vec<(String, Level)> {
        isolation(report, job, Some("data")).into_iter().map(|check| (check.code, check.level)).collect()
    }

    #[test]
    fn tru_12_the_environment_test_names_the_level_and_what_of_the_server_would_be_seen() {
        let job = json!({ "spec": { "template": { "spec": {
            "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }],
            "containers": [{ "name": "claude", "volumeMounts": [{ "name": "data", "mountPath": "/paperclip" }] }],
        }}}});
        let parts: &[&str] = &["/paperclip/instances"];
        let code = |code: &str, level| (code.to_owned(), level);
        assert_eq!(codes(&report(Isolation::Server, Some(parts)), &job), [code("k8s_isolation", Level::Info)]);
        assert_eq!(
            codes(&report(Isolation::Agent, Some(parts)), &job),
            [code("k8s_isolation", Level::Info), code("k8s_isolation_login", Level::Info)]
        );
        assert_eq!(
            codes(&report(Isolation::None, Some(parts)), &job),
            [code("k8s_isolation_none", Level::Warn), code("k8s_isolation_server_visible", Level::Error)]
        );
        assert_eq!(codes(&report(Isolation::None, Some(&[])), &job), [code("k8s_isolation_none", Level::Warn)]);
        let unseen = isolation(&report(Isolation::Server, None), &job, None);
        assert!(unseen[0].detail.as_ref().unwrap().contains("nothing of a server is expected"), "TRU-11");
    }

    #[test]
    fn tru_12_the_claim_of_the_server_in_a_pod_template_is_an_error() {
        let job = |volume: &str, container: &str| {
            json!({ "spec": { "template": { "spec": {
                "volumes": [
                    { "name": "data", "persistentVolumeClaim": { "claimName": "data" } },
                    { "name": "again", "persistentVolumeClaim": { "claimName": "data" } },
                ],
                "containers": [{ "name": container, "volumeMounts": [{ "name": volume, "mountPath": "/x" }] }],
            }}}})
        };
        let seen = |job: &Value| {
            codes(&report(Isolation::Server, Some(&[])), job)
                .iter()
                .any(|(code, _)| code == "k8s_isolation_claim_mounted")
        };
        assert!(seen(&job("again", "claude")));
        assert!(seen(&job("data", "sidecar")));
        assert!(!seen(&job("data", "claude")));
    }
}
