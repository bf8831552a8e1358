//! One run to resolve: a request, a configuration and surroundings that a test changes where it matters.

use std::collections::BTreeMap;

use claude_k8s_core::attempt::Attempt;
use claude_k8s_core::config::Config;
use claude_k8s_core::failure::Refusal;
use claude_k8s_core::own_pod::OwnPod;
use claude_k8s_core::plan::{BundleFile, HomeSettings, RunPlan, SkillFiles, Surroundings};
use claude_k8s_core::request::RunRequest;
use claude_k8s_core::target::{PayloadMode, Placement};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, EnvVar, PodSpec, Secret};
use serde_json::{Value, json};

pub(crate) const AGENT: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
pub(crate) const RUN: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
pub(crate) const SESSION: &str = "11111111-2222-4333-8444-555555555555";

#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) request: Value,
    pub(crate) config: Value,
    pub(crate) own: Option<Value>,
    pub(crate) surroundings: Surroundings,
}

impl Scenario {
    /// The usual deployment: host and Jobs in one namespace, one claim at `/paperclip`.
    pub(crate) fn in_cluster() -> Self {
        let surroundings = Surroundings {
            placement: Placement::SameNamespace,
            namespace: "paperclip".to_owned(),
            may_patch_jobs: true,
            home: HomeSettings::none(),
            ..Surroundings::default()
        };
        Self { request: request(), config: json!({}), own: Some(own_pod()), surroundings }
    }

    /// A host without a cluster of its own.
    pub(crate) fn out_of_cluster() -> Self {
        let mut scenario = Self::in_cluster();
        scenario.own = None;
        scenario.surroundings.placement = Placement::Elsewhere;
        "agents".clone_into(&mut scenario.surroundings.namespace);
        scenario.config = json!({ "image": "registry.example/agent:1" });
        scenario
    }

    pub(crate) fn place(mut self, placement: Placement) -> Self {
        self.surroundings.placement = placement;
        self
    }

    pub(crate) fn staged(mut self) -> Self {
        self.surroundings.payload = PayloadMode::Volume;
        self
    }

    /// Merges members into `config`.
    pub(crate) fn config(mut self, members: Value) -> Self {
        merge(&mut self.config, members);
        self
    }

    /// Merges members into the request, objects recursively.
    pub(crate) fn request(mut self, members: Value) -> Self {
        merge(&mut self.request, members);
        self
    }

    /// Sets one environment name of the host process.
    pub(crate) fn host_env(self, name: &str, value: &str) -> Self {
        self.request(json!({ "host": { "env": { name: value } } }))
    }

    /// Everything that may be inherited is asked for.
    pub(crate) fn everything(self) -> Self {
        self.config(json!({ "inheritEnv": "*", "inheritVolumes": "*" }))
    }

    /// Names that the server process has.
    pub(crate) fn process_has(self, names: &[&str]) -> Self {
        self.request(json!({ "host": { "envNames": names } }))
    }

    /// Adds entries to the own container's environment.
    pub(crate) fn own_env(mut self, entries: &Value) -> Self {
        let env = self.own.as_mut().unwrap().pointer_mut("/spec/containers/0/env").unwrap();
        env.as_array_mut().unwrap().extend(entries.as_array().unwrap().iter().cloned());
        self
    }

    /// Adds a volume of the own pod with its mounts.
    pub(crate) fn own_volume(mut self, volume: Value, mounts: &Value) -> Self {
        let own = self.own.as_mut().unwrap();
        own.pointer_mut("/spec/volumes").unwrap().as_array_mut().unwrap().push(volume);
        let list = own.pointer_mut("/spec/containers/0/volumeMounts").unwrap().as_array_mut().unwrap();
        list.extend(mounts.as_array().unwrap().iter().cloned());
        self
    }

    /// Sets a value inside the own pod.
    pub(crate) fn own_at(mut self, pointer: &str, value: Value) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = self.own.as_mut().unwrap().pointer_mut(parent).unwrap();
        parent.as_object_mut().unwrap().insert(key.to_owned(), value);
        self
    }

    /// One skill and an instructions file.
    pub(crate) fn bundle(mut self) -> Self {
        let file = BundleFile { path: "SKILL.md".to_owned(), bytes: b"# deploy".to_vec(), executable: false };
        let script = BundleFile { path: "run.sh".to_owned(), bytes: b"#!/bin/sh".to_vec(), executable: true };
        self.surroundings.bundle.instructions = Some("Be brief.".to_owned());
        self.surroundings.bundle.skills = vec![SkillFiles {
            key: "acme/deploy".to_owned(),
            runtime_name: "deploy".to_owned(),
            files: vec![file, script],
        }];
        self.config(json!({ "instructionsFilePath": "/paperclip/agents/a/AGENTS.md" }))
    }

    /// A bundle that only fits on a volume that host and pod share.
    pub(crate) fn large_bundle(self) -> Self {
        let mut scenario = self.bundle();
        let large = |n: usize| BundleFile { path: n.to_string(), bytes: vec![0; 900_000], executable: false };
        scenario.surroundings.bundle.skills[0].files = (0..5).map(large).collect();
        scenario
    }

    /// A stored session that this scenario's run may resume.
    pub(crate) fn with_session(self) -> Self {
        self.request(json!({ "session": { "sessionId": SESSION } }))
    }

    pub(crate) fn resolve(&self) -> Result<RunPlan, Refusal> {
        let request: RunRequest = serde_json::from_value(self.request.clone()).unwrap();
        let config = Config::parse(self.config.as_object().unwrap()).unwrap();
        let own_pod = self.own.clone().map(|pod| OwnPod::from_pod(&serde_json::from_value(pod).unwrap()));
        RunPlan::resolve(&request, config, Surroundings { own_pod, ..self.surroundings.clone() })
    }

    pub(crate) fn spec(&self) -> RunPlan {
        self.resolve().unwrap()
    }

    pub(crate) fn refusal(&self) -> Refusal {
        self.resolve().map(|_| ()).unwrap_err()
    }

    /// The first attempt and its objects.
    pub(crate) fn launch(&self) -> Launch {
        let spec = self.spec();
        let attempt = spec.first_attempt();
        let sent = spec.job(&attempt, true).unwrap();
        let job = typed(&sent);
        Launch { secrets: spec.payload(&attempt, "job-uid"), sent, job, attempt, spec }
    }
}

pub(crate) struct Launch {
    pub(crate) spec: RunPlan,
    pub(crate) attempt: Attempt,
    /// As it is sent.
    pub(crate) sent: Value,
    pub(crate) job: Job,
    pub(crate) secrets: Vec<Secret>,
}

/// A Job as the API types know it.
pub(crate) fn typed(job: &Value) -> Job {
    serde_json::from_value(job.clone()).unwrap()
}

impl Launch {
    pub(crate) fn pod(&self) -> &PodSpec {
        self.job.spec.as_ref().unwrap().template.spec.as_ref().unwrap()
    }

    pub(crate) fn claude(&self) -> &Container {
        self.pod().containers.iter().find(|container| container.name == "claude").unwrap()
    }

    pub(crate) fn script(&self) -> &str {
        &self.claude().command.as_ref().unwrap()[2]
    }

    pub(crate) fn env(&self) -> &[EnvVar] {
        self.claude().env.as_deref().unwrap()
    }

    pub(crate) fn env_entry(&self, name: &str) -> Option<&EnvVar> {
        self.env().iter().find(|entry| entry.name == name)
    }

    /// The value the pod will see: a literal, or the content of the run's own Secret. `None` when absent.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let entry = self.env_entry(name)?;
        let Some(source) = &entry.value_from else { return Some(entry.value.clone().unwrap_or_default()) };
        let selector = source.secret_key_ref.as_ref()?;
        let secret = self.secrets.iter().find(|secret| secret.metadata.name.as_ref() == Some(&selector.name))?;
        Some(String::from_utf8(secret.data.as_ref()?.get(&selector.key)?.0.clone()).unwrap())
    }

    /// Every payload file by its path below the payload mount.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let run = self.pod().volumes.as_ref().unwrap().iter().find(|volume| volume.name == "paperclip-run").unwrap();
        let sources = run.projected.as_ref().unwrap().sources.as_ref().unwrap();
        let mut files = BTreeMap::new();
        for source in sources.iter().filter_map(|source| source.secret.as_ref()) {
            let secret =
                self.secrets.iter().find(|secret| secret.metadata.name.as_ref() == Some(&source.name)).unwrap();
            for item in source.items.as_ref().unwrap() {
                files.insert(item.path.clone(), secret.data.as_ref().unwrap()[&item.key].0.clone());
            }
        }
        files
    }

    pub(crate) fn json_file(&self, path: &str) -> Value {
        serde_json::from_slice(&self.files()[path]).unwrap()
    }
}

fn request() -> Value {
    json!({
        "runId": RUN,
        "agent": { "id": AGENT, "companyId": "acme", "name": "Ada" },
        "context": { "issueId": "TASK-1", "wakeReason": "issue_assigned" },
        "authToken": "jwt-for-the-run",
        "prompts": {
            "fresh": { "text": "fresh prompt", "metrics": { "promptChars": 12 } },
            "resumed": { "text": "resumed prompt", "metrics": { "promptChars": 14 } },
        },
        "host": {
            "pid": 7, "startedAtMs": 1_700_000_000_000_i64, "machineId": "machine", "adapterVersion": "0.2.0",
            "env": { "PAPERCLIP_API_URL": "http://paperclip.paperclip.svc:3100", "PAPERCLIP_HOME": "/paperclip" },
        },
    })
}

fn own_pod() -> Value {
    json!({
        "metadata": { "name": "paperclip-0", "namespace": "paperclip", "uid": "own-uid" },
        "spec": {
            "containers": [{
                "name": "paperclip",
                "image": "registry.example/paperclip:1",
                "env": [],
                "volumeMounts": [{ "name": "data", "mountPath": "/paperclip" }],
            }],
            "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "paperclip-data" } }],
        },
        "status": { "podIP": "10.1.2.3" },
    })
}

fn merge(into: &mut Value, members: Value) {
    match (into, members) {
        (Value::Object(into), Value::Object(members)) => {
            for (key, value) in members {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, value) => *into = value,
    }
}
