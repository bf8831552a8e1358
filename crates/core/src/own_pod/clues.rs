//! Where the host's own pod is looked for, and what is said when there is none.

use k8s_openapi::api::core::v1::Pod;

use crate::request::HostProcess;

/// What the process knows about the pod it may run in, best clue first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clues {
    /// Names it may have: by the downward API, then the host name, which is often another one (host network, names over
    /// 63 characters, an image that sets it).
    pub names: Vec<String>,
    /// Addresses it has.
    pub addresses: Vec<String>,
    /// The kubelet sets this variable in every pod: a server that has it and finds no pod lost something.
    pub in_a_pod: bool,
}

impl Clues {
    /// Reads them. The interfaces count only inside a pod: elsewhere an address may be anybody's.
    #[must_use]
    pub fn of(host: &HostProcess) -> Self {
        let in_a_pod = host.env("KUBERNETES_SERVICE_HOST").is_some();
        let mut names: Vec<String> = Vec::new();
        for name in ["POD_NAME", "PAPERCLIP_POD_NAME", "HOSTNAME"].iter().filter_map(|name| host.env(name)) {
            if is_pod_name(name) && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let told = host.env("POD_IP").map(str::to_owned);
        let own = host.addresses.iter().filter(|_| in_a_pod && told.is_none()).cloned();
        Self { names, addresses: told.iter().cloned().chain(own).collect(), in_a_pod }
    }

    /// The pod among those of its namespace: by name, else the only one that has the address and is not over. Pods on
    /// the host's network share its address, so one of several is nobody.
    #[must_use]
    pub fn find<'a>(&self, pods: &'a [Pod]) -> Option<&'a Pod> {
        let by_name = |name: &String| pods.iter().find(|pod| pod.metadata.name.as_ref() == Some(name));
        self.names.iter().find_map(by_name).or_else(|| {
            let mut here = pods.iter().filter(|pod| self.has_the_address_of(pod));
            here.next().filter(|_| here.next().is_none())
        })
    }

    fn has_the_address_of(&self, pod: &Pod) -> bool {
        let Some(status) = &pod.status else { return false };
        let over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
        let all = status.pod_ips.iter().flatten().map(|one| &one.ip).chain(&status.pod_ip);
        !over && all.into_iter().any(|address| self.addresses.contains(address))
    }

    /// The warning of a server in a pod that was not found. `why`: what kept it from being read, if not its absence.
    #[must_use]
    pub fn not_found(&self, namespace: Option<&str>, why: Option<&str>) -> Option<String> {
        if !self.in_a_pod {
            return None;
        }
        let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
        let looked_for = match (names.join(" or "), self.addresses.join(", ")) {
            (names, addresses) if addresses.is_empty() => names,
            (names, addresses) if names.is_empty() => format!("the address {addresses}"),
            (names, addresses) => format!("{names} or the address {addresses}"),
        };
        let place = namespace.map_or_else(|| "any namespace that is known".to_owned(), |name| format!("`{name}`"));
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        Some(format!(
            "the server runs in a pod, but no pod {looked_for} could be read in {place}{why}; nothing is inherited from it, neither data volume nor environment: set `POD_NAME` and `POD_NAMESPACE` from the downward API, and grant `get` and `list` on `pods` there"
        ))
    }
}

/// Nothing else is asked for: a host name that cannot be a pod's would be a request for something else.
fn is_pod_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    name.len() <= 253 && name.bytes().all(inner) && !name.starts_with(['-', '.']) && !name.ends_with(['-', '.'])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn host(env: &Value) -> HostProcess {
        serde_json::from_value(json!({ "env": env, "addresses": ["10.1.0.7", "fd00::7"] })).unwrap()
    }

    fn pod(name: &str, address: &str, phase: &str) -> Pod {
        let status = json!({ "podIP": address, "podIPs": [{ "ip": address }], "phase": phase });
        serde_json::from_value(json!({ "metadata": { "name": name }, "status": status })).unwrap()
    }

    #[test]
    fn fld_05_the_downward_api_is_believed_before_the_host_name() {
        let clues =
            Clues::of(&host(&json!({ "HOSTNAME": "node-1", "POD_NAME": "host-0", "PAPERCLIP_POD_NAME": "host-0" })));
        assert_eq!((clues.names, clues.in_a_pod), (vec!["host-0".to_owned(), "node-1".to_owned()], false));
        assert_eq!(clues.addresses, [""; 0], "outside of a pod an address may be anybody's");
        let odd = Clues::of(&host(&json!({ "HOSTNAME": "../secrets/x", "POD_NAME": "My_Laptop" })));
        assert_eq!(odd.names, [""; 0]);
    }

    #[test]
    fn fld_05_an_address_finds_the_pod_only_if_it_is_the_pods_alone() {
        let clues = Clues::of(&host(&json!({ "KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "node-1" })));
        let name = |pods: &[Pod]| clues.find(pods).and_then(|pod| pod.metadata.name.clone());
        let (host, other) = (pod("host-0", "10.1.0.7", "Running"), pod("other", "10.1.0.8", "Running"));
        assert_eq!(name(&[other.clone(), host.clone()]).as_deref(), Some("host-0"));
        assert_eq!(name(&[host.clone(), pod("old", "10.1.0.7", "Succeeded")]).as_deref(), Some("host-0"));
        assert_eq!(name(&[host.clone(), pod("agent", "10.1.0.7", "Running")]), None, "both on the node's network");
        assert_eq!(name(&[pod("host-6", "fd00::7", "Running")]).as_deref(), Some("host-6"));
        assert_eq!(name(&[host, pod("node-1", "10.1.0.9", "Running")]).as_deref(), Some("node-1"), "a name says more");
        assert_eq!(name(&[other]), None);
    }

    #[test]
    fn fld_04_only_a_server_in_a_pod_misses_one() {
        assert_eq!(Clues::of(&host(&json!({ "HOSTNAME": "laptop" }))).not_found(Some("ns"), None), None);
        let clues = Clues::of(&host(&json!({ "KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "node-1" })));
        let text = clues.not_found(Some("ns"), None).unwrap();
        assert!(text.contains("no pod `node-1` or the address 10.1.0.7, fd00::7 could be read in `ns`;"), "{text}");
    }
}
