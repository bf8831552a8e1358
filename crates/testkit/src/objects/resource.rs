//! The kinds of objects the server knows.

/// A kind that can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Resource {
    ConfigMaps,
    Events,
    Jobs,
    Namespaces,
    PersistentVolumeClaims,
    Pods,
    Secrets,
}

impl Resource {
    pub(crate) const ALL: [Self; 7] = [
        Self::ConfigMaps,
        Self::Events,
        Self::Jobs,
        Self::Namespaces,
        Self::PersistentVolumeClaims,
        Self::Pods,
        Self::Secrets,
    ];

    pub(crate) fn find(group: &str, plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.group() == group && resource.plural() == plural)
    }

    pub(crate) fn of_plural(plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.plural() == plural)
    }

    pub(crate) fn of_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.kind() == kind)
    }

    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::ConfigMaps => "configmaps",
            Self::Events => "events",
            Self::Jobs => "jobs",
            Self::Namespaces => "namespaces",
            Self::PersistentVolumeClaims => "persistentvolumeclaims",
            Self::Pods => "pods",
            Self::Secrets => "secrets",
        }
    }

    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::ConfigMaps => "ConfigMap",
            Self::Events => "Event",
            Self::Jobs => "Job",
            Self::Namespaces => "Namespace",
            Self::PersistentVolumeClaims => "PersistentVolumeClaim",
            Self::Pods => "Pod",
            Self::Secrets => "Secret",
        }
    }

    pub(crate) fn group(self) -> &'static str {
        if self == Self::Jobs { "batch" } else { "" }
    }

    pub(crate) fn api_version(self) -> &'static str {
        if self == Self::Jobs { "batch/v1" } else { "v1" }
    }

    /// As in `jobs.batch "x" not found`.
    pub(crate) fn qualified(self) -> &'static str {
        if self == Self::Jobs { "jobs.batch" } else { self.plural() }
    }

    pub(crate) fn namespaced(self) -> bool {
        self != Self::Namespaces
    }
}
