//! Keys of the data volume, of identity, and of how a run is bounded, waited for and cleaned up.

use super::row::{Choice, Flag, Key, MOST, Name, Own, Size, Topic, Whole};
use crate::config::grammar::DNS_SUBDOMAIN;
use crate::config::types::{BillingType, ConcurrencyScope, Isolation};

super::keys! {
    WORKSPACE_VOLUME_CLAIM: Name = Key::new(Topic::Workspace, "workspaceVolumeClaim", Name { grammar: &DNS_SUBDOMAIN, title: "DNS subdomain", default: None }, "claim of the data volume, which is `HOME`; without any claim sessions cannot be resumed")
        .default("the claim of the host pod, in the same namespace")
        .form("kubernetes", "text", "Data Volume Claim", "PersistentVolumeClaim used as HOME. Empty: the claim of the Paperclip pod. Sessions need one.")
        .note("Sessions need a persistent data volume; without one every run is fresh.");
    WORKSPACE_SUB_PATH: Own = Key::new(Topic::Workspace, "workspaceSubPath", Own("relative path without `..`", "as in the host pod"), "part of the data volume that is mounted");
    WORKSPACE_MOUNT_PATH: Own = Key::new(Topic::Workspace, "workspaceMountPath", Own("absolute path, not `/` nor a directory the container needs", "as in the host pod, else `/paperclip`"), "where the data volume is mounted");
    ISOLATION: Choice<Isolation> = Key::new(Topic::Workspace, "isolation", Choice(&Isolation::WORDS), "what the pod sees of the data volume: `agent`: a home of its own and the run's directories; `server`: the common home without the server's parts; `none`: all of it; see `docs/security.md`")
        .form("kubernetes", "select", "Isolation", "What pods see of the data volume: agent = a home of its own and the run's directories; server = the common home without the server's own files; none = everything. The operator of the server may ask for a least level.")
        .proposing("agent")
        .note("The server's variable `PAPERCLIP_K8S_MIN_ISOLATION` names the least level that is allowed. New agents get `agent` in the form. A login that is stored in the common home is not there: give a token in `env`.");
    FS_GROUP: Whole = Key::new(Topic::Workspace, "fsGroup", Whole { range: 0..=MOST, default: None, unit: "" }, "group of the volumes, changed only when the root directory has another (`OnRootMismatch`)")
        .default("unset: no `fsGroup`")
        .form("kubernetes", "number", "fsGroup", "Group that owns the volumes. Empty: none is set.");
    RUN_AS_USER: Whole = Key::new(Topic::Workspace, "runAsUser", Whole { range: 1..=MOST, default: None, unit: "" }, "user id of the pod")
        .default("the host pod's when not 0, else `1000`");
    RUN_AS_GROUP: Whole = Key::new(Topic::Workspace, "runAsGroup", Whole { range: 1..=MOST, default: None, unit: "" }, "group id of the pod")
        .default("the host pod's when not 0, else `1000`");
    CACHE_SIZE_LIMIT: Size = Key::new(Topic::Workspace, "cacheSizeLimit", Size("20Gi"), "size limit of the pod's own volume for temporary files and caches");

    TIMEOUT_SEC: Whole = Key::new(Topic::RunControl, "timeoutSec", Whole { range: 0..=31_536_000, default: Some(0), unit: "seconds" }, "longest run, counted from the pod's start on its node; 0 = no timer ends a run");
    GRACE_SEC: Whole = Key::new(Topic::RunControl, "graceSec", Whole { range: 0..=3600, default: Some(60), unit: "seconds" }, "how much later the adapter itself stops an overdue Job");
    EXIT_GRACE_SEC: Whole = Key::new(Topic::RunControl, "exitGraceSec", Whole { range: 0..=86_400, default: Some(900), unit: "seconds" }, "how long a process may stay after its final result, counted from a minute after it; then the pod is stopped and the run ends by its result; 0 = it may stay")
        .note("A hook or an MCP server that does not end keeps a finished process alive.");
    SILENCE_TIMEOUT_SEC: Whole = Key::new(Topic::RunControl, "silenceTimeoutSec", Whole { range: 0..=31_536_000, default: Some(0), unit: "seconds" }, "longest time without a byte from the CLI while it runs (`k8s_silent_run`); 0 = silence ends no run")
        .note("A single tool may be silent as long as it works: choose it longer than the longest of them.");
    TTL_SECONDS_AFTER_FINISHED: Whole = Key::new(Topic::RunControl, "ttlSecondsAfterFinished", Whole { range: 0..=MOST, default: Some(300), unit: "seconds" }, "when Kubernetes deletes a finished Job")
        .shape("; below 60 becomes 60 with a warning")
        .default("; none with `retainJobs`")
        .form("kubernetes", "number", "TTL Seconds After Finished", "Seconds until the cluster removes a finished Job by itself. at least 60.");
    RETAIN_JOBS: Flag = Key::new(Topic::RunControl, "retainJobs", Flag(false), "`true`: the Job stays after the run; its Secrets are deleted anyway")
        .form("kubernetes", "toggle", "Retain Jobs", "Keep finished Jobs for debugging; without a TTL above they stay until you delete them.")
        .note("Kept Jobs get no TTL unless it is set. In 0.1 the TTL still removed them.");
    REATTACH_ORPHANED_JOBS: Flag = Key::new(Topic::RunControl, "reattachOrphanedJobs", Flag(true), "a Job whose host process is gone is followed to its end first; `false`: it blocks the run")
        .form("kubernetes", "toggle", "Reattach to Orphaned Jobs", "Follow a Job whose Paperclip process is gone to its end, then run the own prompt. Off: such a Job blocks the run.")
        .prefilled()
        .note("It must be of the same task and session; then this run's own prompt runs. In 0.1 the own prompt was dropped.");
    CONCURRENCY_SCOPE: Choice<ConcurrencyScope> = Key::new(Topic::RunControl, "concurrencyScope", Choice(&ConcurrencyScope::WORDS), "what has to wait: any run of the agent, or only one of the same task")
        .form("kubernetes", "select", "Concurrent Runs", "One Job at a time per agent, or per task of the agent.")
        .prefilled();
    GUARD_WAIT_SEC: Whole = Key::new(Topic::RunControl, "guardWaitSec", Whole { range: 0..=86_400, default: Some(0), unit: "seconds" }, "how long to wait for a competing run; 0 = answer at once")
        .form("kubernetes", "number", "Wait For Other Run", "Seconds to wait for a competing run to end; 0 refuses at once.")
        .prefilled();
    QUEUE_TIMEOUT_SEC: Whole = Key::new(Topic::RunControl, "queueTimeoutSec", Whole { range: 0..=604_800, default: Some(0), unit: "seconds" }, "until the queue admits the Job, ours by `queueName` or one that a policy of the cluster put it into; 0 = no bound");
    SCHEDULE_TIMEOUT_SEC: Whole = Key::new(Topic::RunControl, "scheduleTimeoutSec", Whole { range: 0..=86_400, default: Some(300), unit: "seconds" }, "until a node is assigned; 0 = no bound")
        .form("scheduling", "number", "Schedule Timeout", "Seconds until a node must be assigned; 0 means no bound.")
        .prefilled();
    STARTUP_TIMEOUT_SEC: Whole = Key::new(Topic::RunControl, "startupTimeoutSec", Whole { range: 0..=86_400, default: Some(600), unit: "seconds" }, "from the node until the container runs (image, volumes, init); 0 = no bound")
        .form("scheduling", "number", "Startup Timeout", "Seconds for image, volumes and init containers; 0 means no bound.")
        .prefilled();
    ENABLE_RTK: Flag = Key::new(Topic::RunControl, "enableRtk", Flag(false), "shortens big outputs of tools before the model reads them")
        .form("output", "toggle", "Enable Output Filtering", "Shorten big tool outputs before the model reads them. Needs `node` in the image.")
        .prefilled()
        .note("A hook does it that exists for this run only. In 0.1 the option had no effect. Needs `node` in the image. Failing tools are not covered.");
    RTK_MAX_OUTPUT_BYTES: Whole = Key::new(Topic::RunControl, "rtkMaxOutputBytes", Whole { range: 1024..=10_485_760, default: Some(50_000), unit: "bytes" }, "limit per text")
        .form("output", "number", "Max Tool Output Bytes", "Bytes that are kept of each output text, 1024 to 10485760.")
        .prefilled();
    BILLING_TYPE: Choice<BillingType> = Key::new(Topic::RunControl, "billingType", Choice(&BillingType::WORDS), "how the host books the cost of a run; `auto`: by provider, base URL and credential")
        .form("output", "select", "Billing Type", "How the cost of a run is booked. auto: by provider and credential.")
        .prefilled();
    SECRET_REF: Name = Key::new(Topic::RunControl, "secretRef", Name { grammar: &DNS_SUBDOMAIN, title: "DNS subdomain", default: Some("paperclip-secrets") }, "Secret that the environment test looks for; runs do not use it");
    DEBUG: Flag = Key::new(Topic::RunControl, "debug", Flag(false), "additional `[paperclip] debug:` lines in the log");
}
