//! Three wakes of one agent, the host keeping its session as the results say: whatever went wrong, the agent works again
//! when the cause is gone, and while it stays a message says what a person must do. Nothing is left in anybody's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use claude_k8s_core::outcome::SessionFields;
use claude_k8s_testkit::{AdmissionRule, Eviction, Exit, FaultAction, Hold, HoldKind, Mutation, Script};
use serde_json::{Value, json};

use super::claude::{SESSION, begins, full_context, init, starts, unknown_session, works};
use super::requests::{fails, forbidden};
use super::world::{NAMESPACE, World, assert_success, code, container, minutes, name, seconds};

/// One thing that goes wrong.
struct Trouble {
    what: &'static str,
    /// What the container does meanwhile.
    script: fn() -> Script,
    /// What is wrong with the cluster from before the run on.
    cluster: fn(&World),
    /// What happens to the running pod.
    pod: Option<fn(&World, &str)>,
    /// What each wake comes to while it lasts.
    comes_to: End,
}

#[derive(Debug, Clone, Copy)]
enum End {
    /// The run succeeds all the same.
    Success,
    /// The host tries again by itself, and reads the cause.
    TriedAgain(&'static str),
    /// A person reads what to look at or to change: in the message, or in the log.
    Told(&'static str),
}

fn trouble(what: &'static str, comes_to: End) -> Trouble {
    Trouble { what, script: || works(seconds(5)), cluster: |_| {}, pod: None, comes_to }
}

fn troubles() -> Vec<Trouble> {
    vec![
        Trouble {
            cluster: |world| world.fault_everywhere(FaultAction::Reset { after_write: false }),
            ..trouble("the API server is not reachable", End::TriedAgain("check server address, network"))
        },
        Trouble {
            cluster: |world| world.goes_wrong("list jobs", 0, fails(500)),
            ..trouble(
                "the agent's Jobs cannot be listed",
                End::TriedAgain("Listing Jobs in namespace `agents` failed: HTTP 500"),
            )
        },
        Trouble {
            cluster: |world| world.goes_wrong("create jobs", 0, forbidden("create", "jobs")),
            ..trouble("Jobs must not be created", End::Told("grant `create` on `jobs`"))
        },
        Trouble {
            cluster: |world| world.goes_wrong("create jobs", 0, fails(503)),
            ..trouble("Jobs cannot be created", End::TriedAgain("failed: HTTP 503"))
        },
        Trouble {
            cluster: |world| world.goes_wrong("create secrets", 0, forbidden("create", "secrets")),
            ..trouble("Secrets must not be created", End::Told("grant `create` on `secrets`"))
        },
        Trouble {
            cluster: |world| world.goes_wrong("patch jobs", 0, fails(503)),
            ..trouble("the Job is never released", End::TriedAgain("failed: HTTP 503"))
        },
        Trouble {
            cluster: |world| {
                world.knobs().refuse_creates(AdmissionRule {
                    resource: "pods".into(),
                    message: "violates PodSecurity \"restricted:latest\"".to_owned(),
                    times: None,
                });
            },
            ..trouble("admission refuses the pod", End::Told("change what it forbids"))
        },
        Trouble {
            cluster: |world| {
                let merge = json!({ "metadata": { "labels": { "kueue.x-k8s.io/queue-name": "team-a" } } });
                world.knobs().mutate(Mutation { resource: "jobs".into(), merge, on_update: false });
            },
            ..trouble("a queue admits nothing", End::Told("(queueTimeoutSec): queue `team-a`"))
        },
        Trouble {
            cluster: |world| {
                let message = Some("0/3 nodes are available: 3 Insufficient cpu.".to_owned());
                world.knobs().hold_with(Hold { kind: HoldKind::Scheduling, name: None, message });
            },
            ..trouble("no node takes the pod", End::Told("(scheduleTimeoutSec): pod Pending, Unschedulable: 0/3 nodes"))
        },
        Trouble {
            cluster: |world| world.knobs().hold(HoldKind::ContainerStart),
            ..trouble("the container does not start", End::Told("(startupTimeoutSec)"))
        },
        Trouble {
            pod: Some(|world, pod| assert!(world.knobs().out_of_memory(NAMESPACE, pod))),
            ..trouble("the container has too little memory", End::Told("raise `resources.limits.memory`"))
        },
        Trouble {
            pod: Some(|world, pod| {
                let message = "The node was low on resource: memory.".to_owned();
                assert!(world.knobs().evict(NAMESPACE, pod, Eviction { message, disruption: true }));
            }),
            ..trouble("the pod is evicted", End::Told("run again; see node and reason"))
        },
        Trouble {
            pod: Some(|world, _| assert!(world.knobs().delete_job(NAMESPACE, &world.job()))),
            ..trouble("somebody deletes the Job", End::Told("find out who deletes Jobs there"))
        },
        Trouble {
            script: || begins().wait(minutes(60)).exit(0),
            ..trouble("the time is too short", End::Told("Timed out after 300s"))
        },
        Trouble {
            script: || starts().exit_with(Exit::code(127).message("claude: not found")),
            ..trouble("the image has no CLI", End::Told("check the image"))
        },
        Trouble {
            script: || starts().print(init()).print(full_context()).wait(seconds(1)).exit(1),
            ..trouble("the context is full", End::Told("the next run starts a fresh session"))
        },
        Trouble {
            script: || starts().print(init()).print(unknown_session(SESSION)).exit(1),
            ..trouble("the session is unknown", End::Told("the next run starts a fresh session"))
        },
        Trouble {
            cluster: |world| world.goes_wrong("get pods/log", 0, forbidden("get", "pods/log")),
            ..trouble("the log must not be read", End::Told("may not `get` `pods/log` in namespace `agents`. Grant it"))
        },
        Trouble {
            cluster: |world| world.knobs().silence_watches(None),
            ..trouble("watches are open and silent", End::Success)
        },
        Trouble {
            cluster: |world| world.goes_wrong("delete jobs", 0, fails(500)),
            ..trouble("nothing can be deleted", End::Success)
        },
    ]
}

/// A host with one agent.
struct Host<'a> {
    world: &'a World,
    trouble: &'a Trouble,
    goes_wrong: Arc<AtomicBool>,
    session: Option<String>,
}

impl Host<'_> {
    async fn wakes(&mut self, number: u32, goes_wrong: bool) {
        self.goes_wrong.store(goes_wrong, Relaxed);
        let knobs = self.world.knobs();
        if goes_wrong {
            (self.trouble.cluster)(self.world);
        } else {
            knobs.clear_faults();
            knobs.clear_refusals();
            knobs.clear_mutations();
            knobs.silence_watches(None);
            knobs.release(HoldKind::Scheduling);
            knobs.release(HoldKind::ContainerStart);
        }
        let mut call = self.world.process().call(&format!("run-{number}"));
        for (key, limit) in
            [("scheduleTimeoutSec", 60), ("startupTimeoutSec", 60), ("queueTimeoutSec", 60), ("timeoutSec", 300)]
        {
            call = call.with(key, limit);
        }
        if let Some(session) = &self.session {
            call = call.resuming(session);
        }
        let result = match self.trouble.pod.filter(|_| goes_wrong) {
            None => call.run().await,
            Some(happens) => {
                let happening = async {
                    let is_running = |pod: &Value| {
                        pod["metadata"]["labels"]["paperclip.io/run-id"] == format!("run-{number}")
                            && container(pod)["running"].is_object()
                    };
                    let pod = knobs.wait_for("pods", is_running).await;
                    happens(self.world, &name(&pod));
                };
                call.run_while(happening).await
            }
        };
        if result.clear_session || matches!(result.session, SessionFields::None { .. }) {
            self.session = None;
        }
        if let SessionFields::Stored { session_id, .. } = &result.session {
            self.session = Some(session_id.clone());
        }
        let told = format!("{}\n{}", result.error_message.clone().unwrap_or_default(), call.heard.stderr());
        let what = || format!("{}, wake {number}: {} {told}", self.trouble.what, code(&result));
        match self.trouble.comes_to {
            _ if !goes_wrong => assert_success(&result, &call.heard),
            End::Success => assert_success(&result, &call.heard),
            End::TriedAgain(text) => assert!(result.error_family.is_some() && told.contains(text), "{}", what()),
            End::Told(text) => assert!(result.error_code.is_some() && told.contains(text), "{}", what()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fld_10_after_whatever_went_wrong_an_agent_works_again_and_meanwhile_it_says_what_to_do() {
    for trouble in troubles() {
        for lasts in [1, 3] {
            let goes_wrong = Arc::new(AtomicBool::new(true));
            let (flag, script) = (Arc::clone(&goes_wrong), trouble.script);
            let world = World::choosing(move |_| if flag.load(Relaxed) { script() } else { works(seconds(5)) });
            let mut host = Host { world: &world, trouble: &trouble, goes_wrong, session: Some(SESSION.to_owned()) };
            for number in 1..=lasts {
                host.wakes(number, true).await;
            }
            for number in lasts + 1..=4 {
                host.wakes(number, false).await;
            }
            assert_eq!(world.remains().await, Vec::<String>::new(), "{}", trouble.what);
        }
    }
}
