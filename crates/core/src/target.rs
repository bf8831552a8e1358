//! Where a Job runs, seen from the host, and how its payload gets there.

/// Most bytes of one Secret's data: below the API server's 1 MiB with room for keys and metadata.
pub(crate) const SECRET_MAX: usize = 921_600;

/// Where the Job runs, seen from the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Placement {
    /// In the host's own cluster and namespace: everything is inherited.
    SameNamespace,
    /// In the host's cluster, another namespace: nothing namespaced is inherited.
    OtherNamespace,
    /// In another cluster, or the host is in none: image and literals at most.
    #[default]
    Elsewhere,
}

/// How the payload reaches the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayloadMode {
    /// Secrets owned by the Job.
    #[default]
    Secret,
    /// Files on the shared data volume, for a Role without `secrets/create` ("staging").
    Volume,
}
