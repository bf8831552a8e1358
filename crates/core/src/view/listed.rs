//! What is kept of an object that a list or a watch brings: one item is read and dropped before the next.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::{JobFacts, PodFacts};

/// Facts of one listed object. An object of the API types is kilobytes even where it says nothing (TRU-03).
pub trait Listed: Sized {
    /// What the API server sends.
    type Object;

    /// `None`: the object is none of ours.
    fn of(object: &Self::Object) -> Option<Self>;

    /// Roughly what it takes in memory. Unit: bytes.
    fn weight(&self) -> usize;
}

impl Listed for JobFacts {
    type Object = Job;

    fn of(job: &Job) -> Option<Self> {
        job.metadata.uid.as_ref().map(|_| Self::read(job))
    }

    fn weight(&self) -> usize {
        self.weight()
    }
}

/// A pod with what it tells about the Job that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct PodOfJob {
    /// The Job, which may be gone; created when the pod was.
    pub job: JobFacts,
    /// The pod.
    pub pod: PodFacts,
}

impl Listed for PodOfJob {
    type Object = Pod;

    fn of(pod: &Pod) -> Option<Self> {
        Some(Self { job: JobFacts::told_by(pod)?, pod: PodFacts::read(pod) })
    }

    fn weight(&self) -> usize {
        self.job.weight() + self.pod.weight()
    }
}
