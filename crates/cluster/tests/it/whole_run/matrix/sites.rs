//! For every call of the table a run in which it is made.

use std::path::Path;
use std::time::Duration;

use claude_k8s_cluster::host::StopOrder;
use claude_k8s_core::launch::Call as Row;
use claude_k8s_testkit::{Hold, HoldKind, RequestMatch, Script};
use serde_json::json;
use tokio::time::sleep;

use crate::whole_run::claude::{Ends, begins, works};
use crate::whole_run::heard::Manner;
use crate::whole_run::own_pod::in_cluster;
use crate::whole_run::requests::{REVIEW, done_but, fails, like, slow};
use crate::whole_run::world::{Call, NAMESPACE, World, minutes, seconds};

/// A call, and which request of which run it is.
pub(super) struct Site {
    pub(super) call: Row,
    pub(super) request: &'static str,
    /// Requests like it that come before, once the run has begun.
    pub(super) skip: u32,
    pub(super) run: Run,
}

/// A run and how it ends when nothing goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// In a pod, to its end.
    Usual,
    /// The host's name is not that of its pod.
    Unnamed,
    /// The Job stays.
    Retained,
    /// Cancelled while it works.
    Cancelled,
    /// Cancelled, without the permission to delete.
    Suspended,
    /// The answer to the creation is lost.
    Lost,
    /// The answer to the creation is lost, and then it is refused.
    Uncertain,
    /// The host does not acknowledge the launch.
    Unacknowledged,
    /// A Secret of the same name is left of an earlier Job.
    Stale,
    /// No node takes the pod for a while.
    Waiting,
    /// The pods watch falls silent before the end, which the container does not say.
    Silent,
    /// The Job of a process that died.
    Orphan,
    /// The same, and adopted Jobs stay.
    OrphanRetained,
    /// The Job of a server pod that is gone.
    OrphanOfPod,
    /// A Job that was created and never started, by a process that died long ago.
    Leftover,
}

const fn site(call: Row, request: &'static str, skip: u32, run: Run) -> Site {
    Site { call, request, skip, run }
}

pub(super) const SITES: [Site; 29] = [
    site(Row::Reach, REVIEW, 0, Run::Usual),
    site(Row::Review, REVIEW, 1, Run::Usual),
    site(Row::OwnPod, "get pods/host-0", 0, Run::Usual),
    site(Row::FindOwnPod, "list pods", 0, Run::Unnamed),
    site(Row::ClaimInCommon, "get persistentvolumeclaims", 0, Run::Usual),
    site(Row::ListJobs, "list jobs", 0, Run::Usual),
    site(Row::ListPods, "list pods", 0, Run::Usual),
    site(Row::ListHostPods, "list pods", 0, Run::OrphanOfPod),
    site(Row::RemoveLeftover, "delete jobs", 0, Run::Leftover),
    site(Row::CreateJob, "create jobs", 0, Run::Usual),
    site(Row::ReadBack, "get jobs", 0, Run::Lost),
    site(Row::CreateSecret, "create secrets", 0, Run::Usual),
    site(Row::ReplaceSecret, "create secrets", 1, Run::Stale),
    site(Row::Release, "patch jobs", 0, Run::Usual),
    site(Row::Adopt, "patch jobs", 0, Run::Orphan),
    site(Row::Withdraw, "delete jobs", 0, Run::Unacknowledged),
    site(Row::FindUncertain, "get jobs", 1, Run::Uncertain),
    site(Row::WatchJobs, "watch jobs", 0, Run::Usual),
    site(Row::WatchPods, "watch pods", 0, Run::Usual),
    site(Row::Log, "get pods/log", 0, Run::Usual),
    site(Row::Events, "list events", 0, Run::Waiting),
    site(Row::Look, "get jobs", 0, Run::Silent),
    site(Row::StopJob, "delete jobs", 0, Run::Cancelled),
    site(Row::Suspend, "patch jobs", 1, Run::Suspended),
    site(Row::CleanUpJob, "delete jobs", 0, Run::Usual),
    site(Row::MarkDelivered, "patch jobs", 1, Run::Retained),
    site(Row::FindSecrets, "get jobs", 0, Run::OrphanRetained),
    site(Row::DeleteSecret, "delete secrets", 0, Run::Retained),
    site(Row::Look, "get pods", 1, Run::Silent),
];

/// Calls that no run makes on a simulated cluster, and who tries them.
pub(super) const ELSEWHERE: [(Row, &str); 7] = [
    (Row::FindStaged, "the tests of staged payloads: it only tidies a disk"),
    (Row::ProveJob, "the tests of `proof`, answer by answer"),
    (Row::ProvePod, "the tests of `proof`, answer by answer"),
    (Row::EndPod, "whole_run::cleanup"),
    (Row::EndJob, "whole_run::cleanup"),
    (Row::Claim, "whole_run::doctor"),
    (Row::Check, "whole_run::doctor"),
];

impl Site {
    /// Verb and resource.
    pub(super) fn asks(&self) -> (&'static str, &'static str) {
        let (verb, object) = self.request.split_once(' ').unwrap();
        (verb, if object == "pods/log" { object } else { object.split('/').next().unwrap() })
    }

    pub(super) fn matching(&self) -> RequestMatch {
        let of_all_pods = matches!(self.call, Row::FindOwnPod | Row::ListHostPods);
        RequestMatch { query: of_all_pods.then(|| "labelSelector=(&|$)".to_owned()), ..like(self.request) }
    }
}

impl Run {
    fn script(self) -> Script {
        match self {
            Self::Cancelled | Self::Suspended => begins().never_ends(),
            Self::Silent => Script { last_line: None, ..begins().wait(seconds(100)).ends() },
            _ => works(seconds(20)),
        }
    }

    /// What the end is when nothing goes wrong. Empty: a success.
    pub(super) fn end(self) -> &'static str {
        match self {
            Self::Cancelled | Self::Suspended => "cancelled",
            Self::Uncertain => "k8s_job_create_failed",
            Self::Unacknowledged => "k8s_job_identity_unacknowledged",
            _ => "",
        }
    }

    /// Containers of the run and of the orphan before it.
    pub(super) fn launches(self) -> usize {
        match self {
            Self::Uncertain | Self::Unacknowledged => 0,
            Self::Orphan | Self::OrphanRetained | Self::OrphanOfPod => 2,
            _ => 1,
        }
    }

    /// The Job stays by configuration, or for want of the permission.
    pub(super) fn keeps_its_job(self) -> bool {
        matches!(self, Self::Retained | Self::Suspended | Self::OrphanRetained)
    }

    pub(super) fn is_retried_by_another(self) -> bool {
        matches!(self, Self::Orphan | Self::OrphanRetained | Self::OrphanOfPod | Self::Leftover)
    }

    /// The cluster and the call, up to the moment from which on requests are counted.
    pub(super) async fn begin(self) -> (World, Call) {
        let script = self.script();
        let world = World::new(script);
        let usual = |run_id: &str| in_cluster(&world, world.process().call(run_id), Path::new("/paperclip"));
        let outside = |run_id: &str| world.process().call(run_id);
        let call = match self {
            Self::Usual | Self::Cancelled | Self::Silent => usual("run-1"),
            Self::Unnamed => {
                let mut call = usual("run-1");
                let address = json!({ "status": { "podIP": "10.1.0.7", "phase": "Running" } });
                assert!(world.knobs().patch("pods", NAMESPACE, "host-0", &address));
                call.request["host"]["env"]["HOSTNAME"] = json!("node-1");
                call.request["host"]["addresses"] = json!(["10.1.0.7"]);
                call
            }
            Self::Retained => usual("run-1").with("retainJobs", true),
            Self::Suspended => {
                world.knobs().deny("delete", "jobs");
                usual("run-1")
            }
            Self::Lost => {
                world.goes_wrong("create jobs", 1, done_but(504));
                outside("run-1")
            }
            Self::Uncertain => {
                world.goes_wrong("create jobs", 1, fails(504));
                world.goes_wrong("create jobs", 1, fails(422));
                outside("run-1")
            }
            Self::Unacknowledged => outside("run-1").with_host(Manner::RefusesLaunch),
            Self::Stale => {
                let owner = json!([{ "kind": "Job", "name": "ac-agent-1-run-1-0ec508", "uid": "old" }]);
                let secret = json!({ "kind": "Secret", "data": {}, "metadata": { "namespace": NAMESPACE,
                    "name": "ac-agent-1-run-1-0ec508-run", "ownerReferences": owner } });
                assert!(world.knobs().seed(secret));
                outside("run-1")
            }
            Self::Waiting => {
                let message = Some("0/3 nodes are available: 3 Insufficient cpu.".to_owned());
                world.knobs().hold_with(Hold { kind: HoldKind::Scheduling, name: None, message });
                outside("run-1")
            }
            Self::Orphan | Self::OrphanRetained => {
                outside("run-1").killed_after(world.asked("get pods/log")).await;
                let next = outside("run-2");
                if self == Self::Orphan { next } else { next.with("retainJobs", true) }
            }
            Self::OrphanOfPod => {
                usual("run-1").killed_after(world.asked("get pods/log")).await;
                let other = json!({ "metadata": { "annotations": {
                    "paperclip.io/supervisor": "99999999-2222-4333-8444-555555555555/1/1000000" } } });
                assert!(world.knobs().patch("jobs", NAMESPACE, &world.job(), &other));
                let next = world.process().call("run-2");
                crate::whole_run::own_pod::from_pod(next, Path::new("/paperclip"))
            }
            Self::Leftover => {
                world.goes_wrong("create", 0, slow(Duration::from_millis(5)));
                outside("run-1").killed_after(world.asked("create secrets")).await;
                world.knobs().clear_faults();
                sleep(minutes(16)).await;
                outside("run-2")
            }
        };
        (world, call)
    }

    /// What happens meanwhile.
    pub(super) async fn goes_on(self, world: &World, call: &Call) {
        match self {
            Self::Cancelled | Self::Suspended => {
                world.running().await;
                sleep(seconds(3)).await;
                call.order(StopOrder::Cancel);
            }
            Self::Waiting => {
                sleep(seconds(60)).await;
                world.knobs().release(HoldKind::Scheduling);
            }
            Self::Silent => {
                world.running().await;
                sleep(seconds(80)).await;
                world.knobs().silence_watches(Some("pods"));
            }
            _ => {}
        }
    }
}
