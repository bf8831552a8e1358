//! Keys of cluster, node, image and resources.

use super::row::{Choice, Key, Name, Own, Size, Topic};
use crate::config::grammar::{DNS_LABEL, DNS_SUBDOMAIN};
use crate::config::types::ImagePullPolicy;

super::keys! {
    KUBECONFIG: Own = Key::new(Topic::Placement, "kubeconfig", Own("absolute path of a file on the host that only root and the server's user can write, outside of `PAPERCLIP_HOME`, of volumes that pods can mount and of temporary directories; or the content (starts with `{` or `apiVersion`, or has several lines)", "unset"), "cluster of the Jobs; unset: the host's own cluster, else the file named by `KUBECONFIG`. Only a file may name programs (`exec`) and other files")
        .form("kubernetes", "text", "Kubeconfig Path", "Absolute path of a file on the Paperclip host that only the operator can write, or the content itself. Empty: the account of the Paperclip pod.");
    KUBECONFIG_DATA: Own = Key::new(Topic::Placement, "kubeconfigData", Own("content of a kubeconfig, stored as a secret; not together with `kubeconfig`", "unset"), "as `kubeconfig`; read in memory, never written to disk; data only, nothing of it may name a program or a file")
        .form("kubernetes", "textarea", "Kubeconfig (stored as secret)", "Content of a kubeconfig. Paperclip stores it encrypted.")
        .secret();
    NAMESPACE: Name = Key::new(Topic::Placement, "namespace", Name { grammar: &DNS_LABEL, title: "DNS label", default: None }, "where Job and Secrets are created")
        .default("the host's own namespace, else the kubeconfig's, else `default`")
        .form("kubernetes", "text", "Namespace", "Where Jobs are created. Empty: the namespace of the Paperclip pod.");
    SERVICE_ACCOUNT_NAME: Name = Key::new(Topic::Placement, "serviceAccountName", Name { grammar: &DNS_SUBDOMAIN, title: "DNS subdomain", default: None }, "service account of the pod; its token is mounted only when this is set")
        .form("kubernetes", "text", "Service Account", "Identity of the Job pods. Empty: the default account of the namespace, without a mounted token.");
    IMAGE: Own = Key::new(Topic::Placement, "image", Own("image reference without white space", "the host's own image"), "image of the container")
        .form("kubernetes", "text", "Container Image", "Image with the `claude` command. Empty: the image of the Paperclip pod.");
    IMAGE_PULL_POLICY: Choice<ImagePullPolicy> = Key::new(Topic::Placement, "imagePullPolicy", Choice(&ImagePullPolicy::WORDS), "when the image is pulled")
        .form("kubernetes", "select", "Image Pull Policy", "When the node pulls the image.");
    LABELS: Own = Key::new(Topic::Placement, "labels", Own("[map](#shapes) of label keys and values; reserved keys are skipped with a warning", "`{}`"), "labels of Job and pod")
        .form("scheduling", "textarea", "Labels", "One key=value per line, added to Job and pod.")
        .note("Maps are objects, JSON text, or lines `key=value`.");
    NODE_SELECTOR: Own = Key::new(Topic::Placement, "nodeSelector", Own("[map](#shapes) of label keys and values", "the host pod's"), "replaces the inherited selector, also when empty")
        .form("scheduling", "textarea", "Node Selector", "One key=value per line. Empty: as the Paperclip pod.")
        .note("`{}` selects every node.");
    TOLERATIONS: Own = Key::new(Topic::Placement, "tolerations", Own("list of tolerations, or JSON or YAML text of it", "the host pod's"), "replaces the inherited tolerations, also when empty")
        .form("scheduling", "textarea", "Tolerations", "JSON or YAML list, for example [{\"key\":\"gpu\",\"operator\":\"Exists\"}]. Empty: as the Paperclip pod.")
        .note("`[]` means none.");
    PRIORITY_CLASS_NAME: Name = Key::new(Topic::Placement, "priorityClassName", Name { grammar: &DNS_SUBDOMAIN, title: "DNS subdomain", default: None }, "priority class of the pod")
        .form("scheduling", "text", "Priority Class", "PriorityClass of the pods.");
    RUNTIME_CLASS_NAME: Name = Key::new(Topic::Placement, "runtimeClassName", Name { grammar: &DNS_SUBDOMAIN, title: "DNS subdomain", default: None }, "runtime class of the pod, for example a sandbox")
        .form("scheduling", "text", "Runtime Class", "RuntimeClass of the pods, for example a sandboxed runtime.");
    QUEUE_NAME: Name = Key::new(Topic::Placement, "queueName", Name { grammar: &DNS_LABEL, title: "DNS label", default: None }, "Kueue `LocalQueue` that admits the Job; needs the permission to patch Jobs")
        .form("scheduling", "text", "Kueue Queue", "LocalQueue that admits the Job.");
    POD_TEMPLATE: Own = Key::new(Topic::Placement, "podTemplate", Own("object, or JSON or YAML text of it", "unset"), "merged over the finished pod; [rules](#podtemplate)")
        .form("kubernetes", "textarea", "Pod Template Overrides", "JSON or YAML with metadata and spec, merged into the pod last.")
        .note("Sidecars are allowed; what the run depends on is protected.");

    RESOURCES_REQUESTS_CPU: Size = Key::new(Topic::Resources, "resources.requests.cpu", Size("1000m"), "CPU request of the container")
        .form("resources", "text", "CPU Request", "Kubernetes quantity such as 500m or 2.");
    RESOURCES_REQUESTS_MEMORY: Size = Key::new(Topic::Resources, "resources.requests.memory", Size("2Gi"), "memory request of the container")
        .form("resources", "text", "Memory Request", "Kubernetes quantity such as 2Gi.");
    RESOURCES_LIMITS_CPU: Size = Key::new(Topic::Resources, "resources.limits.cpu", Size("4000m"), "CPU limit of the container")
        .form("resources", "text", "CPU Limit", "Kubernetes quantity such as 4.");
    RESOURCES_LIMITS_MEMORY: Size = Key::new(Topic::Resources, "resources.limits.memory", Size("8Gi"), "memory limit of the container")
        .form("resources", "text", "Memory Limit", "Kubernetes quantity such as 8Gi. A run above it is killed.")
        .note("A run above it is killed.");
    RESOURCES: Own = Key::new(Topic::Resources, "resources", Own("object `{requests: {…}, limits: {…}}` of quantities, or JSON or YAML text of it", "see above"), "the same and further resources such as `nvidia.com/gpu`; a dotted key wins; `null` removes a default");
}
