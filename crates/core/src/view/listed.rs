//! What is kept of an object that a list or a watch brings: one item is read and dropped before the next.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::kept::SELF;
use super::{JobFacts, PodFacts};
use crate::answers::{LISTED_MAX, OBJECTS_MAX, TooMuch};

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
        let named = [&self.name, &self.namespace, &self.uid, &self.resource_version].map(String::len);
        let said = self.conditions.iter().map(|one| one.kind.len() + one.reason.len() + one.message.len());
        let marked =
            self.labels.iter().chain(&self.annotations).map(|(name, value)| name.len() + value.len() + SELF / 8);
        SELF + named.into_iter().chain(said).chain(marked).sum::<usize>()
    }
}

/// A list as it comes in, page by page.
#[derive(Debug)]
pub struct Listing<T> {
    kept: Vec<T>,
    /// Objects so far, those that are not kept included.
    seen: usize,
    /// What is kept. Unit: bytes.
    weight: usize,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), seen: 0, weight: 0 }
    }
}

impl<T> Listing<T> {
    /// The next object: what is kept of it, and how many bytes that takes.
    ///
    /// # Errors
    /// The list is longer or takes more than any may.
    pub fn push(&mut self, kept: Option<T>, weight: fn(&T) -> usize) -> Result<(), TooMuch> {
        self.seen += 1;
        if let Some(kept) = kept {
            self.weight += weight(&kept);
            self.kept.push(kept);
        }
        if self.weight > LISTED_MAX {
            return Err(TooMuch::Listed);
        }
        if self.seen > OBJECTS_MAX { Err(TooMuch::Objects) } else { Ok(()) }
    }

    /// What was kept of all of it.
    #[must_use]
    pub fn into_kept(self) -> Vec<T> {
        self.kept
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
