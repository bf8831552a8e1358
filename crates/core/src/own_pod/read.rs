//! From the Kubernetes object to [`OwnPod`].

use k8s_openapi::api::core::v1::{Container, EnvVar, Pod};

use super::OwnPod;

/// The container a host deployment is expected to have; a sidecar may stand before it (POD-07).
const SOURCE_CONTAINER: &str = "paperclip";

impl OwnPod {
    /// Reads the facts of a pod. Never fails: what is missing is simply not inherited.
    #[must_use]
    pub fn from_pod(pod: &Pod) -> Self {
        let mut own = Self {
            name: pod.metadata.name.clone().unwrap_or_default(),
            namespace: pod.metadata.namespace.clone().unwrap_or_default(),
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            labels: pod.metadata.labels.clone().unwrap_or_default(),
            pod_ip: pod.status.as_ref().and_then(|status| status.pod_ip.clone()),
            ..Self::default()
        };
        let Some(spec) = &pod.spec else { return own };
        own.service_account.clone_from(&spec.service_account_name);
        own.node = spec.node_name.clone().filter(|name| !name.is_empty());
        own.node_selector = spec.node_selector.clone().unwrap_or_default();
        own.tolerations = spec.tolerations.clone().unwrap_or_default();
        own.dns_policy.clone_from(&spec.dns_policy);
        own.dns_config.clone_from(&spec.dns_config);
        own.host_aliases = spec.host_aliases.clone().unwrap_or_default();
        own.image_pull_secrets = spec.image_pull_secrets.clone().unwrap_or_default();
        own.volumes = spec.volumes.clone().unwrap_or_default();
        if let Some(security) = &spec.security_context {
            own.run_as_user = security.run_as_user;
            own.run_as_group = security.run_as_group;
        }
        let named = spec.containers.iter().find(|container| container.name == SOURCE_CONTAINER);
        if let Some(container) = named.or_else(|| spec.containers.first()) {
            own.read_container(container);
        }
        own
    }

    fn read_container(&mut self, container: &Container) {
        self.image = container.image.clone().filter(|image| !image.is_empty());
        self.env = one_entry_per_name(container.env.as_deref().unwrap_or_default());
        self.env_from = container.env_from.clone().unwrap_or_default();
        self.mounts = container.volume_mounts.clone().unwrap_or_default();
        self.resolve_sub_paths();
        if let Some(security) = &container.security_context {
            self.run_as_user = security.run_as_user.or(self.run_as_user);
            self.run_as_group = security.run_as_group.or(self.run_as_group);
        }
    }
}

impl OwnPod {
    /// A sub-path that is composed of literals is the same one in every pod, whatever that pod inherits.
    fn resolve_sub_paths(&mut self) {
        let resolved = |expression: &String| self.expanded(expression).filter(|_| !expression.is_empty());
        let resolved: Vec<_> =
            self.mounts.iter().map(|mount| mount.sub_path_expr.as_ref().and_then(resolved)).collect();
        for (mount, resolved) in self.mounts.iter_mut().zip(resolved) {
            if resolved.is_some() {
                (mount.sub_path, mount.sub_path_expr) = (resolved, None);
            }
        }
    }
}

/// Kubernetes lets the last entry of a name win; entries may refer to earlier ones, so their order stays.
fn one_entry_per_name(entries: &[EnvVar]) -> Vec<EnvVar> {
    let is_last = |index: usize| !entries[index + 1..].iter().any(|later| later.name == entries[index].name);
    (0..entries.len()).filter(|&index| is_last(index)).map(|index| entries[index].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn own(pod: Value) -> OwnPod {
        OwnPod::from_pod(&serde_json::from_value(pod).unwrap())
    }

    #[test]
    fn pod_07_a_sidecar_in_front_is_not_the_source() {
        let pod = own(json!({"spec": {"containers": [
            {"name": "proxy", "image": "proxy:1"},
            {"name": "paperclip", "image": "host:2"},
        ]}}));
        assert_eq!(pod.image.as_deref(), Some("host:2"));
        let pod = own(json!({"spec": {"containers": [{"name": "server", "image": "host:3"}, {"name": "x"}]}}));
        assert_eq!(pod.image.as_deref(), Some("host:3"));
    }

    #[test]
    fn the_last_entry_of_a_repeated_name_counts() {
        let pod = own(json!({"spec": {"containers": [{"name": "paperclip", "env": [
            {"name": "A", "value": "1"}, {"name": "B"}, {"name": "A", "value": "2"},
        ]}]}}));
        assert_eq!(pod.literal("A"), Some("2"));
        assert_eq!(pod.literal("B"), Some(""));
        assert_eq!(pod.env.len(), 2);
    }

    #[test]
    fn ids_of_the_container_win_over_those_of_the_pod() {
        let pod = own(json!({"spec": {
            "securityContext": {"runAsUser": 1, "runAsGroup": 2},
            "containers": [{"name": "paperclip", "securityContext": {"runAsUser": 7}}],
        }}));
        assert_eq!((pod.run_as_user, pod.run_as_group), (Some(7), Some(2)));
    }

    #[test]
    fn the_data_mount_is_the_usual_path_else_the_one_with_the_home() {
        let mounts = json!([
            {"name": "cache", "mountPath": "/srv/paperclip/cache"},
            {"name": "data", "mountPath": "/srv/paperclip"},
        ]);
        let pod = own(json!({"spec": {
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "pvc"}}],
            "containers": [{"name": "paperclip", "volumeMounts": mounts}],
        }}));
        let mount = pod.data_mount(Some("/srv/paperclip/home")).unwrap();
        assert_eq!(pod.claim(mount), Some("pvc"));
        assert_eq!(pod.mount_of("/srv/paperclip/cache/x").unwrap().name, "cache");
        assert_eq!((pod.data_claim(Some("/srv/paperclip/home")), pod.data_claim(None)), (Some("pvc"), None));
    }

    #[test]
    fn a_pod_without_a_spec_has_nothing_to_inherit() {
        assert_eq!(own(json!({"metadata": {"name": "p", "uid": "u"}})).mounts, []);
    }
}
